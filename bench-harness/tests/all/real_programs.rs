//! Real programs under libarenite.so do what they do without it: same output, same files, same end.
//!
//! A part of them runs always; with `ARENABENCH_CAMPAIGN=1` all of them do, at full size and under
//! the checked library too. A program that is not installed is reported by name and skipped.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::command::{folder, have};
use crate::doors::library;

fn is_campaign() -> bool {
    std::env::var_os("ARENABENCH_CAMPAIGN").is_some()
}

/// The libraries that programs run under.
fn libraries() -> Vec<PathBuf> {
    let names = ["libarenite.so", "libarenite-checked.so"];
    names[..if is_campaign() { 2 } else { 1 }].iter().map(|name| library(name)).collect()
}

/// A shell script in an empty folder, under a library or none. Everything that could differ between
/// two runs for another reason is taken out of its environment.
fn shell(script: &str, folder: &Path, library: Option<&Path>) -> Output {
    let mut command = Command::new("sh");
    command.args(["-e", "-c", script]).current_dir(folder);
    command.env_remove("LD_PRELOAD").env("LC_ALL", "C").env("TZ", "UTC").env("HOME", folder);
    // Hash seeds and dates are the other things that output may hang on.
    command.env("PYTHONHASHSEED", "0").env("PERL_HASH_SEED", "0");
    for (name, value) in [("NAME", "tester"), ("EMAIL", "tester@example.org")] {
        command.env(format!("GIT_AUTHOR_{name}"), value);
        command.env(format!("GIT_COMMITTER_{name}"), value);
    }
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    if let Some(library) = library {
        // Where the variable did not arrive, the script's own words show it.
        command.env("LD_PRELOAD", library);
        command.env("PYTHONMALLOC", "malloc");
    }
    command.output().unwrap()
}

/// Runs a script with and without each library; all of it must be the same. Returns the output.
fn same(script: &str) -> String {
    let alone = folder();
    let expected = shell(script, alone.path(), None);
    let told = String::from_utf8_lossy(&expected.stderr);
    assert!(expected.status.success(), "without a library: {}: {told}", expected.status);
    for library in libraries() {
        let folder = folder();
        let found = shell(script, folder.path(), Some(&library));
        let name = library.display();
        let told = String::from_utf8_lossy(&found.stderr);
        assert!(!told.contains("cannot be preloaded"), "{told}");
        assert_eq!(found.status, expected.status, "{name}: {told}");
        assert_eq!(
            String::from_utf8_lossy(&found.stdout),
            String::from_utf8_lossy(&expected.stdout),
            "{name}: {told}"
        );
    }
    String::from_utf8(expected.stdout).unwrap()
}

/// Whether all of these programs are there; names those that are not.
fn have_all(programs: &[&str]) -> bool {
    programs.iter().all(|program| have(program))
}

#[test]
fn the_library_serves_what_the_shell_starts() {
    let library = library("libarenite.so").canonicalize().unwrap();
    let folder = folder();
    let maps = shell("cat /proc/self/maps", folder.path(), Some(&library));
    let maps = String::from_utf8(maps.stdout).unwrap();
    assert!(maps.contains(library.to_str().unwrap()), "{maps}");
}

/// Runs CPython's own test files and compares the number of tests and the names of those that failed.
fn python_tests(files: &str) {
    if !have("python3") {
        return;
    }
    let found = Command::new("python3").args(["-c", "import test.test_list"]).output().unwrap();
    if !found.status.success() {
        eprintln!("SKIPPED: this Python comes without its own tests");
        return;
    }
    // An installation may fail some of its own tests: then it has to fail the same ones.
    let told = same(&format!(
        "python3 -m test {files} > log 2>&1 || echo 'failures'; \
         grep -E '^(Total tests|Total test files|Result|.*Tests result|FAIL:|ERROR:)' log | sort"
    ));
    assert!(told.contains("Total tests: run="), "{told}");
    if !told.contains("SUCCESS") {
        eprintln!("this Python fails some of its own tests without a library too: {told}");
    }
}

#[test]
fn pythons_own_tests_of_its_objects() {
    python_tests("test_list test_dict test_json test_struct");
    if is_campaign() {
        python_tests("test_re test_unicode test_gc");
    }
}

#[test]
fn pythons_own_tests_of_threads_and_processes() {
    python_tests("test_threading_local");
    if is_campaign() {
        python_tests("test_threading test_subprocess test_sqlite3");
    }
}

/// By a file of its own, since installations come without the files that name the start methods.
/// `test_terminate` is left out: now and then it hangs under the C library's malloc as well.
#[test]
fn pythons_own_tests_of_multiprocessing() {
    if !have("python3") || !is_campaign() {
        eprintln!("SKIPPED: set ARENABENCH_CAMPAIGN=1 to run Python's tests of multiprocessing");
        return;
    }
    let told = same(
        "cat > mp_fork.py <<'END'
import unittest
from test import _test_multiprocessing
del _test_multiprocessing._TestPool.test_terminate
_test_multiprocessing.install_tests_in_module_dict(globals(), 'fork')
if __name__ == '__main__':
    unittest.main()
END
timeout 400 python3 mp_fork.py > log 2>&1 || echo 'failures'
grep -E '^(Ran|OK|FAILED|FAIL:|ERROR:)' log | sed 's/ in .*//' | sort",
    );
    assert!(told.contains("Ran "), "{told}");
}

#[test]
fn a_python_program_prints_the_same() {
    if have("python3") {
        same(
            "python3 -c '
import json, re, random, sqlite3, threading
random.seed(7)
words = [str(random.random()) for _ in range(20000)]
table = {word: words[:n % 50] for n, word in enumerate(words)}
text = json.dumps(table, sort_keys=True)
print(len(text), len(re.findall(\"0.1[0-9]+\", text)), hash(text))
db = sqlite3.connect(\":memory:\")
db.execute(\"create table t(a, b)\")
db.executemany(\"insert into t values(?, ?)\", enumerate(words))
print(db.execute(\"select count(*), max(b), sum(a) from t where b like ?\", (\"0.1%\",)).fetchall())
sums = [0] * 4
def work(n):
    for m in range(200):
        sums[n] += len(\"\".join(words[m * n:m * n + 40]))
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(sums)
'",
        );
    }
}

#[test]
fn git_makes_the_same_commits_and_finds_them_sound() {
    if !have("git") {
        return;
    }
    let told = same(
        "git init -q -b main new && cd new
for n in 1 2 3 4 5 6 7 8 9; do
    seq 1 $((n * 300)) > file$n; mkdir -p dir$n; cp file$n dir$n/copy; git add .
    git commit -q -m \"commit $n\"
done
git mv file1 moved; git commit -q -m moved
git gc -q --aggressive; git fsck --full --strict 2>&1
git log --stat --format='%H %T %s'; git blame moved | tail -2; git diff HEAD~5 --stat -M",
    );
    assert!(told.contains("commit 9"), "{told}");
}

#[test]
fn git_clones_packs_and_checks_this_repository() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    if !have("git") || !is_campaign() {
        eprintln!("SKIPPED: set ARENABENCH_CAMPAIGN=1 to clone this repository");
        return;
    }
    if !Path::new(root).join(".git").exists() {
        eprintln!("SKIPPED: these sources are in no git repository");
        return;
    }
    same(&format!(
        "git -c safe.directory='*' clone -q --no-local --no-hardlinks '{root}' clone && cd clone
git gc -q; git fsck --full 2>&1; git rev-parse HEAD; git log --format='%H %T' | sha256sum
git archive HEAD | sha256sum"
    ));
}

#[test]
fn perl_tests_pass_under_prove() {
    if !have_all(&["perl", "prove"]) {
        return;
    }
    let told = same(
        "mkdir t
cat > t/strings.t <<'END'
use strict; use warnings; use Test::More;
my %seen; my $text = '';
for my $n (1 .. 20000) { my $key = ($n * 7919) % 4999; $seen{$key} .= $n; $text .= chr(65 + $n % 26) }
is(scalar(keys %seen), 4999, 'keys');
is(length($text), 20000, 'length');
my @parts = split /E/, $text; is(scalar(@parts), 771, 'parts');
my @sorted = sort { $seen{$a} cmp $seen{$b} } keys %seen; ok(@sorted == 4999, 'sorted');
(my $copy = $text) =~ s/(A)(B)/$2$1$1/g; is(length($copy), 20769, 'substitutions');
done_testing();
END
cat > t/forks.t <<'END'
use strict; use warnings; use Test::More;
for my $n (1 .. 10) {
    my $pid = fork(); die unless defined $pid;
    if (!$pid) { my @list = map { 'x' x $_ } 1 .. 500; exit(@list == 500 ? 0 : 1) }
    waitpid($pid, 0); is($?, 0, \"child $n\");
}
done_testing();
END
prove t 2>&1 | grep -v '^Files='; prove -v t/strings.t | grep -v '^Files='",
    );
    assert!(told.contains("All tests successful"), "{told}");
}

/// A C file with this many functions, of some variety.
fn large_c_file(functions: usize) -> String {
    let mut text =
        String::from("#include <stddef.h>\nstruct node { struct node *next; int key; };\n");
    for n in 0..functions {
        let (a, b) = (n * 7 % 31 + 2, n * 13 % 17 + 1);
        let _ = write!(
            text,
            "static inline int helper{n}(int x) {{ return x * {a} % {b} + (x >> {}); }}\n\
             int function{n}(struct node *node, const char *text, size_t len) {{\n\
             \x20   int sum = {n};\n\
             \x20   for (size_t at = 0; at < len; at++) {{\n\
             \x20       switch (text[at] % 5) {{\n\
             \x20       case 0: sum += helper{n}(text[at]); break;\n\
             \x20       case 1: sum ^= (int)at * {a}; break;\n\
             \x20       case 2: if (node) {{ sum -= node->key; node = node->next; }} break;\n\
             \x20       default: sum = sum * {b} + 1;\n\
             \x20       }}\n\
             \x20   }}\n\
             \x20   return sum;\n}}\n",
            n % 7
        );
    }
    text
}

#[test]
fn gcc_compiles_a_large_file_to_the_same_bytes() {
    if !have("gcc") {
        return;
    }
    let sources = folder();
    let file = sources.path().join("large.c");
    let functions = if is_campaign() { 4000 } else { 300 };
    std::fs::write(&file, large_c_file(functions)).unwrap();
    same(&format!(
        "cp '{}' large.c; gcc -O2 -c large.c -o large.o; gcc -O1 -S large.c -o large.s; \
         sha256sum large.o large.s",
        file.display()
    ));
}

#[test]
fn the_sqlite_shell_answers_the_same() {
    if !have("sqlite3") {
        return;
    }
    let rows = if is_campaign() { 300_000 } else { 30_000 };
    let told = same(&format!(
        "sqlite3 file.db <<'END'
create table t(id integer primary key, word text, number real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
insert into t select i, hex(i * 7919 % 10007), i * 0.5 from n;
create index by_word on t(word);
select count(distinct word), sum(number), max(word) from t;
select word, count(*), group_concat(id) from t where id < 2000 group by word order by 2 desc, 1 limit 20;
update t set word = word || '-' || id where id % 3 = 0;
delete from t where id % 7 = 0;
vacuum;
pragma integrity_check;
select a.word, b.id from t a join t b on a.word = b.word and a.id < b.id order by 1, 2 limit 20;
END
sha256sum file.db"
    ));
    assert!(told.contains("ok\n"), "{told}");
}

#[test]
fn xz_and_tar_make_the_same_archives() {
    if !have_all(&["xz", "tar"]) {
        return;
    }
    let level = if is_campaign() { 9 } else { 2 };
    same(&format!(
        "mkdir files; for n in 1 2 3 4 5 6 7 8 9; do seq 1 $((n * 5000)) > files/$n; done
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf files.tar files
xz -{level} -T2 --block-size=262144 -k files.tar; sha256sum files.tar files.tar.xz
xz -dc files.tar.xz | sha256sum; mkdir out; tar -C out -xJf files.tar.xz; cat out/files/* | sha256sum"
    ));
}
