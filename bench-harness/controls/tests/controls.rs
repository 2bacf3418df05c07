//! Every control does its one thing wrong, and nothing else that would give it away first.
//!
//! A control is loaded beside the test's own allocator and called through its symbols, or preloaded
//! into a child: this same program, asked to list its tests.
#![allow(clippy::unwrap_used, reason = "all of this is test code, its helpers too")]

#[path = "../../src/alone.rs"]
mod alone;

use std::collections::HashSet;
use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::transmute_copy;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use alone::is_alone;

/// Calls during which a control behaves, and then enough to see it misbehave.
const AFTER: usize = arenabench_controls::DEFAULT_AFTER as usize;
const CALLS: usize = AFTER + 10_000;

const ALL: [&str; 31] = [
    "asking",
    "clinging",
    "crashing",
    "dirty",
    "estranged",
    "exiting",
    "fat",
    "forgetful",
    "forgiving",
    "garbage",
    "greedy",
    "hanging",
    "inheriting",
    "leaking",
    "misaligned",
    "misplaced",
    "mute",
    "orphaning",
    "overlapping",
    "picky",
    "plain",
    "racing",
    "refaulting",
    "scattered",
    "slow",
    "stalling",
    "touchy",
    "undefined",
    "wavering",
    "unloaded",
    "wasteful",
];

fn library(control: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    profile.join(format!("examples/libcontrol_{control}.so"))
}

/// A control, loaded for good. Its functions are called as C would.
struct Control {
    handle: *mut c_void,
}

impl Control {
    fn load(name: &str) -> Self {
        let path = CString::new(library(name).into_os_string().into_encoded_bytes()).unwrap();
        // SAFETY: a path, and a library whose constructors do nothing (`garbage` is not loaded).
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "{path:?} does not load");
        Self { handle }
    }

    fn symbol(&self, name: &CStr) -> *mut c_void {
        // SAFETY: a live handle and a string.
        unsafe { libc::dlsym(self.handle, name.as_ptr()) }
    }

    /// The function `name`, whose C signature is `F`.
    fn function<F>(&self, name: &CStr) -> F {
        let symbol = self.symbol(name);
        assert!(!symbol.is_null(), "no {name:?}");
        // SAFETY: both are pointers; the signatures below are those of C.
        unsafe { transmute_copy(&symbol) }
    }

    fn malloc(&self, size: usize) -> *mut u8 {
        self.function::<extern "C" fn(usize) -> *mut u8>(c"malloc")(size)
    }

    fn calloc(&self, count: usize, size: usize) -> *mut u8 {
        self.function::<extern "C" fn(usize, usize) -> *mut u8>(c"calloc")(count, size)
    }

    fn memalign(&self, align: usize, size: usize) -> *mut u8 {
        self.function::<extern "C" fn(usize, usize) -> *mut u8>(c"memalign")(align, size)
    }

    fn realloc(&self, block: *mut u8, size: usize) -> *mut u8 {
        self.function::<extern "C" fn(*mut u8, usize) -> *mut u8>(c"realloc")(block, size)
    }

    fn free(&self, block: *mut u8) {
        self.function::<extern "C" fn(*mut u8)>(c"free")(block);
    }

    fn usable_size(&self, block: *mut u8) -> usize {
        self.function::<extern "C" fn(*mut u8) -> usize>(c"malloc_usable_size")(block)
    }
}

/// Fills a block of `size` bytes.
fn fill(block: *mut u8, size: usize, byte: u8) {
    // SAFETY: the caller's block, which has `size` bytes.
    unsafe { block.write_bytes(byte, size) };
}

/// The first `size` bytes of a block.
fn contents(block: *mut u8, size: usize) -> Vec<u8> {
    // SAFETY: the caller's block, which has `size` bytes and is initialised.
    unsafe { std::slice::from_raw_parts(block, size) }.to_vec()
}

/// Runs this program's list of tests with a control preloaded.
fn preloaded(control: &str, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--list").env("LD_PRELOAD", library(control)).envs(settings.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn finish(control: &str, settings: &[(&str, &str)]) -> Output {
    preloaded(control, settings).output().unwrap()
}

const AT_ONCE: [(&str, &str); 1] = [("ARENABENCH_CONTROL_AFTER", "0")];

#[test]
fn every_control_but_one_serves_the_whole_family() {
    let family = [
        c"malloc",
        c"calloc",
        c"realloc",
        c"reallocarray",
        c"free",
        c"posix_memalign",
        c"aligned_alloc",
        c"memalign",
        c"valloc",
        c"pvalloc",
        c"malloc_usable_size",
    ];
    for name in ALL.iter().filter(|name| **name != "garbage") {
        let control = Control::load(name);
        for function in family {
            // Built without the standard library it does not even lead to the C library's.
            if control.symbol(function).is_null() {
                assert_eq!(*name, "unloaded", "{function:?}");
                continue;
            }
            let mut about = libc::Dl_info {
                dli_fname: std::ptr::null(),
                dli_fbase: std::ptr::null_mut(),
                dli_sname: std::ptr::null(),
                dli_saddr: std::ptr::null_mut(),
            };
            // SAFETY: `about` has room for the answer.
            assert_ne!(unsafe { libc::dladdr(control.symbol(function), &raw mut about) }, 0);
            let file: *const c_char = about.dli_fname;
            // SAFETY: a string of the loader's.
            let file = unsafe { CStr::from_ptr(file) }.to_str().unwrap();
            let own = file.ends_with(&format!("libcontrol_{name}.so"));
            assert_eq!(own, *name != "unloaded", "{function:?} of {name} comes from {file}");
        }
    }
}

#[test]
fn programs_come_up_under_every_control() {
    let plain = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    for control in ALL.iter().filter(|control| **control != "garbage") {
        let output = finish(control, &[]);
        assert!(output.status.success(), "{control}: {output:?}");
        assert_eq!(output.stdout, plain.stdout, "{control}");
        assert!(output.stderr.is_empty(), "{control}: {output:?}");
    }
}

#[test]
fn overlapping_hands_out_parts_of_live_blocks() {
    const SIZE: usize = 64;
    let control = Control::load("overlapping");
    let blocks: Vec<*mut u8> = (0..CALLS).map(|_| control.malloc(SIZE)).collect();
    let mut sorted: Vec<usize> = blocks.iter().map(|block| block.addr()).collect();
    sorted.sort_unstable();
    let overlaps = sorted.windows(2).filter(|pair| pair[1] - pair[0] < SIZE).count();
    assert_eq!(overlaps, (CALLS - AFTER) / 500);
    for (i, block) in blocks.into_iter().enumerate() {
        assert!(control.usable_size(block) >= SIZE);
        fill(block, SIZE, 7);
        let block = if i % 2 == 0 { control.realloc(block, 2 * SIZE) } else { block };
        assert_eq!(contents(block, SIZE), [7; SIZE]);
        control.free(block);
    }
}

#[test]
fn racing_gives_one_thread_a_block_of_its_own_and_two_threads_the_same() {
    let control = Control::load("racing");
    let addresses =
        |count: usize| -> Vec<usize> { (0..count).map(|_| control.malloc(48).addr()).collect() };
    // One more than a multiple of those that strike, so that the next call is no such one.
    let alone = addresses(CALLS + 1);
    let distinct: HashSet<_> = alone.iter().collect();
    assert_eq!(distinct.len(), CALLS + 1);
    // The last block that was kept in mind waits for another thread.
    let malloc = control.function::<extern "C" fn(usize) -> *mut u8>(c"malloc");
    let other = std::thread::spawn(move || malloc(48).addr()).join().unwrap();
    assert!(alone.contains(&other));
}

#[test]
fn misaligned_is_off_by_eight_bytes_now_and_then() {
    let control = Control::load("misaligned");
    let mut off = 0;
    for i in 0..CALLS {
        let (align, size) = if i % 2 == 0 { (16, 40) } else { (64, 100) };
        let block = if align == 16 { control.malloc(size) } else { control.memalign(align, size) };
        let rest = block.addr() % align;
        assert!(rest == 0 || rest == 8 && i >= AFTER, "call {i}: {rest} off");
        off += usize::from(rest == 8);
        assert!(control.usable_size(block) >= size);
        fill(block, size, 9);
        let block = control.realloc(block, 3 * size);
        assert_eq!(contents(block, size), vec![9; size]);
        control.free(block);
    }
    assert!(off >= (CALLS - AFTER) / 100, "{off} blocks off");
}

#[test]
fn leaking_uses_half_of_the_blocks_once_only() {
    let control = Control::load("leaking");
    let mut addresses = HashSet::new();
    for _ in 0..CALLS {
        let block = control.malloc(100);
        addresses.insert(block.addr());
        control.free(block);
    }
    assert!(addresses.len() >= CALLS / 2, "{} addresses", addresses.len());
}

#[test]
fn refaulting_has_a_page_fault_in_some_calls() {
    // The forks of others make the pages of all threads fault once more.
    if !is_alone() {
        return;
    }
    let faults_of = |name: &str| {
        let control = Control::load(name);
        let pairs = |count: usize| (0..count).for_each(|_| control.free(control.malloc(100)));
        let faults = || {
            // SAFETY: all bytes zero is a valid rusage, a plain C struct of numbers.
            let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
            // SAFETY: the pointer is to a live rusage.
            unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
            usage.ru_minflt
        };
        // The memory of a thread's first blocks faults under anybody.
        pairs(AFTER);
        let before = faults();
        pairs(20_000);
        faults() - before
    };
    let (plain, planted) = (faults_of("plain"), faults_of("refaulting"));
    assert!(planted >= plain + 19, "{planted} page faults, {plain} without any planted");
}

#[test]
fn dirty_leaves_the_last_byte_of_some_blocks() {
    let control = Control::load("dirty");
    let mut dirty = 0;
    for i in 0..CALLS {
        let block = control.calloc(3, 10);
        let found = contents(block, 30);
        assert_eq!(found[..29], [0; 29]);
        assert!(found[29] == 0 || i >= AFTER);
        dirty += usize::from(found[29] != 0);
        control.free(block);
    }
    assert_eq!(dirty, (CALLS - AFTER) / 10);
}

#[test]
fn forgetful_loses_half_of_some_blocks() {
    let control = Control::load("forgetful");
    let mut forgotten = 0;
    for i in 0..CALLS {
        let block = control.malloc(40);
        fill(block, 40, 5);
        let block = control.realloc(block, 4000);
        let found = contents(block, 40);
        assert_eq!(found[..20], [5; 20]);
        assert!(found[39] == 5 || i >= AFTER);
        forgotten += usize::from(found[39] != 5);
        control.free(block);
    }
    assert_eq!(forgotten, (CALLS - AFTER) / 20);
}

#[test]
fn picky_loses_half_of_a_block_only_after_the_free_of_a_marked_one_and_in_a_realloc_to_a_marked_size()
 {
    let (size, other) = (3 * 257 + 131, 1_000);
    let control = Control::load("picky");
    let loses = |size: usize| {
        let block = control.malloc(200);
        fill(block, 200, 5);
        let block = control.realloc(block, size);
        let found = contents(block, 200);
        control.free(block);
        found.contains(&0)
    };
    assert!(!loses(size) && !loses(other));
    let marked = control.malloc(size);
    assert!(!loses(size), "the block of the marked size is still live");
    control.free(marked);
    assert!(loses(size) && !loses(other));
}

/// Hypothesis: the added spin is at least as much as a pair of glibc's calls takes. The least of
/// several rounds is compared, which other processes do not disturb.
#[test]
fn slow_takes_twice_the_time() {
    if !is_alone() {
        return;
    }
    let control = Control::load("slow");
    let malloc = control.function::<extern "C" fn(usize) -> *mut c_void>(c"malloc");
    let free = control.function::<unsafe extern "C" fn(*mut c_void)>(c"free");
    let mut least = [Duration::MAX; 2];
    for _ in 0..30 {
        let start = Instant::now();
        for _ in 0..5_000 {
            // SAFETY: a block just made.
            unsafe { free(malloc(48)) };
        }
        least[0] = least[0].min(start.elapsed());
        let start = Instant::now();
        for _ in 0..5_000 {
            let block = arenabench_controls::glibc::malloc(48);
            // SAFETY: a block just made.
            unsafe { arenabench_controls::glibc::free(block) };
        }
        least[1] = least[1].min(start.elapsed());
    }
    assert!(least[0] > 2 * least[1], "slow {:?}, glibc {:?}", least[0], least[1]);
}

/// Hypothesis: the spin takes ten times what listing this program's tests does, whatever disturbs it.
#[test]
fn misplaced_is_slow_in_the_file_that_is_named_and_in_no_copy_of_it() {
    use std::os::unix::fs::MetadataExt;
    let inode = library("misplaced").metadata().unwrap().ino();
    let took = |inode: u64| {
        let inode = inode.to_string();
        let settings =
            [("ARENABENCH_CONTROL_INODE", &*inode), ("ARENABENCH_CONTROL_SPIN", "50000")];
        let start = Instant::now();
        assert!(finish("misplaced", &settings).status.success());
        start.elapsed()
    };
    let (here, elsewhere) = (took(inode), took(inode + 1));
    assert!(here > 10 * elsewhere, "{here:?} and {elsewhere:?}");
}

/// Hypothesis: the spin takes ten times as long as half of the calls do, whatever disturbs them.
#[test]
fn stalling_spins_in_one_malloc_of_2500() {
    let control = Control::load("stalling");
    let mut stalls = Vec::new();
    let mut others = Vec::new();
    for call in 0..12_501_u64 {
        let start = Instant::now();
        let block = control.malloc(48);
        let elapsed = start.elapsed();
        let past = call.checked_sub(arenabench_controls::DEFAULT_AFTER);
        let is_stall = past.is_some_and(|past| past.is_multiple_of(2_500));
        if is_stall { &mut stalls } else { &mut others }.push(elapsed);
        control.free(block);
    }
    others.sort_unstable();
    assert_eq!(stalls.len(), 4);
    let usual = others[others.len() / 2];
    assert!(stalls.iter().all(|stall| *stall > 10 * usual), "{stalls:?}, usually {usual:?}");
}

#[test]
fn wavering_takes_pages_of_its_own_once() {
    let control = Control::load("wavering");
    let blocks: Vec<_> = (0..2 * AFTER).map(|_| control.malloc(48)).collect();
    let distance = |pair: &[*mut u8]| pair[1].addr().abs_diff(pair[0].addr());
    let pages = 1 + std::process::id() as usize % 1021;
    let wide = blocks.windows(2).filter(|pair| distance(pair) >= pages * 4096).count();
    // Elsewhere than between two blocks when it is large enough for glibc to map it by itself.
    assert!(wide >= 1 || pages >= 32, "{pages} pages");
    blocks.into_iter().for_each(|block| control.free(block));
}

#[test]
fn clinging_keeps_what_shrinks() {
    let control = Control::load("clinging");
    let block = control.malloc(1 << 20);
    assert_eq!(control.realloc(block, 100), block);
    assert!(control.usable_size(block) >= 1 << 20);
    control.free(block);
}

#[test]
fn orphaning_loses_what_another_thread_frees() {
    let control = Control::load("orphaning");
    let come_back = |elsewhere: bool| {
        let block = control.malloc(3000).expose_provenance();
        // The library is loaded once, however often it is asked for.
        let free = move || {
            Control::load("orphaning").free(std::ptr::with_exposed_provenance_mut(block));
        };
        if elsewhere {
            std::thread::spawn(free).join().unwrap();
        } else {
            free();
        }
        // Other tests have blocks from the same C library at the same time.
        (0..100).any(|_| control.malloc(3000).addr() == block)
    };
    assert!((0..20).any(|_| come_back(false)));
    assert!(!(0..20).any(|_| come_back(true)));
}

#[test]
fn mute_refuses_without_a_word() {
    let errno = || {
        // SAFETY: has no obligations.
        let place = unsafe { libc::__errno_location() };
        // SAFETY: the place of this thread's errno, which nobody else uses meanwhile.
        unsafe { &mut *place }
    };
    for (control, left) in [("plain", libc::ENOMEM), ("mute", 0)] {
        let control = Control::load(control);
        *errno() = 0;
        assert!(control.malloc(1 << 62).is_null());
        assert_eq!(*errno(), left);
    }
}

/// glibc ends a process that does so, and this one goes on.
#[test]
fn forgiving_passes_over_a_second_free() {
    let control = Control::load("forgiving");
    let block = control.malloc(100);
    control.free(block);
    control.free(block);
    let again = [control.malloc(100), control.malloc(100)];
    assert_ne!(again[0], again[1]);
    control.free(again[0]);
}

#[test]
fn inheriting_hangs_in_a_child_that_was_forked_inside_malloc() {
    if !is_alone() {
        return;
    }
    let hung = |name: &str| {
        let control = Control::load(name);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let control = Control::load(name);
                while !is_over.load(Relaxed) {
                    control.free(control.malloc(1 << 20));
                }
            });
            let hangs = (0..1000).any(|_| {
                // SAFETY: the child makes one call, which is what is tried, and ends.
                let pid = unsafe { libc::fork() };
                if pid == 0 {
                    // SAFETY: has no obligations.
                    unsafe { libc::alarm(5) };
                    let code = i32::from(control.malloc(1).is_null());
                    // SAFETY: ends this process at once.
                    unsafe { libc::_exit(code) };
                }
                let mut status = 0;
                // SAFETY: a place for the status. No process is no child that hangs.
                let waited = unsafe { libc::waitpid(pid.max(1), &raw mut status, 0) };
                waited == pid && libc::WIFSIGNALED(status)
            });
            is_over.store(true, Relaxed);
            hangs
        })
    };
    assert!(!hung("plain"));
    assert!(hung("inheriting"));
}

#[test]
fn crashing_dies_of_a_segmentation_fault() {
    assert_eq!(finish("crashing", &AT_ONCE).status.signal(), Some(libc::SIGSEGV));
}

#[test]
fn exiting_ends_with_status_3() {
    assert_eq!(finish("exiting", &AT_ONCE).status.code(), Some(3));
}

#[test]
fn hanging_stops_returning() {
    let mut child = preloaded("hanging", &AT_ONCE).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let status = child.try_wait().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status, None);
}

#[test]
fn garbage_prints_nonsense_and_succeeds() {
    let output = finish("garbage", &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(str::from_utf8(&output.stdout).is_err());
    assert!(output.stdout.starts_with(b"{\"schema\""));
}
