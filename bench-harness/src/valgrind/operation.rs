//! From the functions of a stack to the operation of the allocator that was under way.

/// Names of functions that a Python program's calls go through, with what they do.
const OF_PYTHON: [&str; 4] = ["PyObject_", "PyMem_Raw", "PyMem_", "arenite_domain_"];

/// The operation of a replayed call: from the program's side inwards, the first frame whose name is
/// an allocator's function.
pub(super) fn of_replay(functions: &[String]) -> &'static str {
    functions.iter().rev().find_map(|function| by_name(function)).unwrap_or("other")
}

/// The operation in a whole program, where any function may be named like an allocator's: only the
/// names of C's, of C++'s and of Python's own functions count, and those of Arenite's, whose free hands
/// rare calls on without a frame of its own.
pub(super) fn of_program(functions: &[String]) -> &'static str {
    let named = |function: &String| {
        if function.starts_with("arenite::") { by_name(function) } else { by_exact_name(function) }
    };
    functions.iter().rev().find_map(named).unwrap_or("other")
}

fn by_name(function: &str) -> Option<&'static str> {
    let path = function.split(['<', '(']).next().unwrap_or(function);
    let name = path.rsplit("::").next().unwrap_or(path);
    // The replay loop's own functions are named like the calls they make.
    if path.contains("replay::") {
        return None;
    }
    if name.contains("realloc") {
        Some("realloc")
    } else if name.contains("calloc") {
        Some("calloc")
    } else if name.contains("free") || name.contains("dealloc") {
        Some("free")
    } else if name.contains("alloc") || name.contains("memalign") {
        Some("malloc")
    } else {
        None
    }
}

fn by_exact_name(function: &str) -> Option<&'static str> {
    if function.starts_with("operator new") {
        return Some("malloc");
    }
    if function.starts_with("operator delete") {
        return Some("free");
    }
    let plain = function.trim_start_matches('_');
    let name = OF_PYTHON.iter().find_map(|prefix| plain.strip_prefix(prefix)).unwrap_or(function);
    match name {
        "realloc" | "reallocarray" | "Realloc" => Some("realloc"),
        "calloc" | "Calloc" => Some("calloc"),
        "free" | "cfree" | "Free" => Some("free"),
        "malloc" | "Malloc" | "memalign" | "aligned_alloc" | "posix_memalign" | "valloc" => {
            Some("malloc")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(functions: &[&str]) -> Vec<String> {
        functions.iter().map(|&function| function.to_owned()).collect()
    }

    #[test]
    fn in_a_replay_the_outermost_name_of_an_allocator_counts() {
        let frames = stack(&["owns", "preset_free", "preset_realloc", "bench::replay::free"]);
        assert_eq!(of_replay(&frames), "realloc");
        assert_eq!(of_replay(&stack(&["owns", "main"])), "other");
    }

    #[test]
    fn in_a_program_only_exact_names_count() {
        assert_eq!(of_program(&stack(&["owns", "free", "freeze_everything", "main"])), "free");
        assert_eq!(of_program(&stack(&["Py_DECREF", "list_dealloc", "main"])), "other");
        assert_eq!(of_program(&stack(&["owns", "_PyObject_Realloc", "main"])), "realloc");
        assert_eq!(of_program(&stack(&["owns", "PyMem_RawFree", "main"])), "free");
        assert_eq!(of_program(&stack(&["x", "operator delete(void*)", "main"])), "free");
        let handed_on = stack(&["arenite::flagship::calls::free_rare", "frees::main"]);
        assert_eq!(of_program(&handed_on), "free");
    }
}
