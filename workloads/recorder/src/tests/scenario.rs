//! What recorded children do.

use crate::tests::block::Block;
use std::ffi::c_void;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::thread;

/// Name of the variable that tells a child what to do.
pub(super) const VARIABLE: &str = "ARENABENCH_RECORDER_SCENARIO";

/// Plays the scenario `name`.
pub(super) fn play(name: &str) {
    match name {
        "family" => family(),
        "many" => pairs(100_000),
        "threads" => threads(),
        "destructors" => destructors(),
        "forks" => forks(),
        "bare clone" => bare_clone(),
        "exec" => exec(),
        "killed" => killed(),
        "at once" => at_once(),
        "closed" => closed(),
        "limited" => limited(),
        "errno" => errno(),
        _ => panic!("no scenario {name}"),
    }
}

/// Allocates and frees so many times, sizes going round.
fn pairs(count: usize) {
    for i in 0..count {
        Block::malloc(i % 300).free();
    }
}

/// Every function, in the order that the test expects.
fn family() {
    let small = Block::malloc(10);
    let zeroed = Block::calloc(3, 7);
    let large = small.realloc(5000).ok().unwrap();
    let born = Block::NULL.realloc(30).ok().unwrap();
    assert!(born.realloc(0).is_ok_and(|block| block.is_null()));
    Block::NULL.free();
    Block::memalign(256, 40).free();
    Block::aligned_alloc(48, 96).free();
    Block::posix_memalign(64, 100).free();
    assert!(Block::posix_memalign(3, 100).is_null());
    Block::valloc(5).free();
    Block::pvalloc(5).free();
    let array = zeroed.reallocarray(100, 1000).ok().unwrap();
    let array = array.reallocarray(usize::MAX, 2).err().unwrap();
    assert!(Block::malloc(usize::MAX).is_null());
    large.free();
    array.free();
}

/// Three generations of eight threads that free each other's blocks.
fn threads() {
    static SHELF: [AtomicPtr<c_void>; 64] = [const { AtomicPtr::new(null_mut()) }; 64];
    fn swap(i: usize, Block(new): Block) {
        Block(SHELF[i % SHELF.len()].swap(new, Ordering::AcqRel)).free();
    }
    for generation in 0..3 {
        let work = |seed: usize| {
            for i in 0..20_000 {
                let block = Block::malloc(seed + i % 1000);
                let block =
                    if i % 5 == 0 { block.realloc(i % 3000 + 1).ok().unwrap() } else { block };
                swap(i * (2 * seed + 1), block);
            }
        };
        let team: Vec<_> =
            (0..8).map(|i| thread::spawn(move || work(8 * generation + i))).collect();
        team.into_iter().for_each(|member| member.join().unwrap());
    }
    (0..SHELF.len()).for_each(|i| swap(i, Block::NULL));
}

/// Threads that allocate in all four rounds of destructors: the last round is after their end was
/// recorded, as the key is younger than the recorder's.
fn destructors() {
    static KEY: AtomicU32 = AtomicU32::new(0);
    extern "C" fn destructor(value: *mut c_void) {
        Block(value).free();
        let again = Block::malloc(64);
        // SAFETY: the key exists.
        unsafe { libc::pthread_setspecific(KEY.load(Ordering::Relaxed), again.0) };
    }
    Block::malloc(1).free();
    let mut key = 0;
    // SAFETY: `key` has room.
    assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(destructor)) }, 0);
    KEY.store(key, Ordering::Relaxed);
    let work = || {
        let block = Block::malloc(32);
        // SAFETY: the key exists.
        unsafe { libc::pthread_setspecific(KEY.load(Ordering::Relaxed), block.0) };
    };
    for _ in 0..10 {
        thread::spawn(work).join().unwrap();
    }
}

/// In the child: calls of its own, and the end. In the parent: waits for that end.
fn child_allocates(process: libc::pid_t) {
    if process == 0 {
        pairs(100);
        crate::_exit(0);
    }
    let mut status = -1;
    // SAFETY: `status` has room.
    unsafe { libc::waitpid(process, &raw mut status, 0) };
    assert_eq!(status, 0);
}

/// Forks while other threads allocate.
fn forks() {
    static DONE: AtomicBool = AtomicBool::new(false);
    let work = || {
        while !DONE.load(Ordering::Relaxed) {
            pairs(100);
        }
    };
    let team: Vec<_> = (0..3).map(|_| thread::spawn(work)).collect();
    for _ in 0..40 {
        // SAFETY: the child calls the recorder, the allocator and `_exit` alone.
        let process = unsafe { libc::fork() };
        assert!(process != 0 || crate::tls::get().is_none(), "the child has its parent's writer");
        child_allocates(process);
    }
    DONE.store(true, Ordering::Relaxed);
    team.into_iter().for_each(|member| member.join().unwrap());
}

/// Forks in a way that no fork handler hears of, often enough for the log to be appended to.
fn bare_clone() {
    for _ in 0..10 {
        pairs(5000);
        // SAFETY: the child calls the recorder, the allocator and `_exit` alone.
        child_allocates(unsafe { libc::syscall(libc::SYS_fork) } as libc::pid_t);
    }
}

/// Becomes another image of the same process.
fn exec() {
    pairs(10);
    let error = Command::new(std::env::current_exe().unwrap())
        .args(std::env::args_os().skip(1))
        .env(VARIABLE, "at once")
        .exec();
    panic!("{error}");
}

/// Dies without warning.
fn killed() {
    pairs(50_000);
    // SAFETY: has no obligations.
    unsafe { libc::raise(libc::SIGKILL) };
}

/// Ends without running destructors.
fn at_once() {
    pairs(10);
    crate::_exit(0);
}

/// Closes every descriptor it does not know and opens files of its own under their numbers.
fn closed() {
    pairs(10);
    for fd in 3..1024 {
        // SAFETY: nobody uses these but the recorder, which must expect it.
        unsafe { libc::close(fd) };
    }
    let folder = PathBuf::from(std::env::var_os("ARENABENCH_RECORD_DIR").unwrap());
    let files: Vec<File> =
        (0..600).map(|i| File::create_new(folder.join(format!("own.{i}"))).unwrap()).collect();
    pairs(50_000);
    for file in files {
        assert_eq!(file.metadata().unwrap().len(), 0, "somebody wrote into {file:?}");
    }
}

/// Makes more calls than its limit on file sizes has room for.
fn limited() {
    pairs(10);
    let limit = libc::rlimit { rlim_cur: 200_000, rlim_max: 200_000 };
    // SAFETY: `limit` is readable.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) }, 0);
    pairs(100_000);
}

/// Looks after every call whether `errno` is as before.
fn errno() {
    for i in 0..50_000 {
        crate::kernel::set_errno(99);
        let block = Block::malloc(i % 100);
        assert_eq!(crate::kernel::errno(), 99, "malloc {i}");
        block.free();
        assert_eq!(crate::kernel::errno(), 99, "free {i}");
    }
}
