//! Every check is broken once, in a process of its own; the report must be exactly the one foretold.

use std::env;
use std::io::{Write, stdout};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use arenite::{
    DebugHooks, Domain, NextAllocator, Pymalloc39, Python23Hooks, Python38Hooks, SystemMalloc,
};

const CASE: &str = "HOOKS_CASE";
const SIGABRT: i32 = 6;
const SIGTRAP: i32 = 5;

type Hooks = DebugHooks<Pymalloc39<SystemMalloc>, Python38Hooks<true>>;

/// A block of 20 bytes of the object domain with serial 1.
fn block() -> (Box<Hooks>, *mut u8) {
    let mut hooks = Box::new(Hooks::new(Pymalloc39::preset(SystemMalloc)));
    let block = hooks.malloc(Domain::Object, 20);
    (hooks, block)
}

/// Prints what the report will be.
fn foretell(damage: &str, block: *const u8, lines: &str) {
    print!("\n<<arenite: fatal: {damage} at {:#x}\n{lines}>>\n", block.addr());
    stdout().flush().unwrap();
}

fn poke(at: *mut u8, byte: u8) {
    // SAFETY: within the inner block of a live block.
    unsafe { at.write(byte) };
}

fn free<A: NextAllocator>(hooks: &mut DebugHooks<A, Python38Hooks<true>>, block: *mut u8) {
    // SAFETY: live, or else the process ends before the block is touched.
    unsafe { hooks.free(Domain::Object, block) };
}

const GUARD: &str = "  guard before: fd fd fd fd fd fd fd\n";
const BEHIND: &str = "  guard behind: fd fd fd fd fd fd fd fd\n";
const DATA: &str = "  data: cd cd cd cd cd cd cd cd .. cd cd cd cd cd cd cd cd\n";
const DOMAIN: &str = "  domain o, called through o\n";

fn overflow_by_one() {
    let (mut hooks, block) = block();
    let behind = "  guard behind: 58* fd fd fd fd fd fd fd\n";
    let lines = format!("{DOMAIN}  size 20\n{GUARD}{behind}  serial 1\n{DATA}");
    foretell("guard behind block damaged", block, &lines);
    poke(block.wrapping_add(20), b'X');
    free(&mut hooks, block);
}

fn underflow_by_one() {
    let (mut hooks, block) = block();
    let guard = "  guard before: fd fd fd fd fd fd 58*\n";
    let lines = format!("{DOMAIN}  size 20, not to be trusted\n{guard}");
    foretell("guard before block damaged", block, &lines);
    poke(block.wrapping_sub(1), b'X');
    free(&mut hooks, block);
}

fn wrong_domain() {
    let (mut hooks, block) = block();
    let domain = "  domain o, called through r\n";
    let lines = format!("{domain}  size 20\n{GUARD}{BEHIND}  serial 1\n{DATA}");
    foretell("wrong domain for block", block, &lines);
    // SAFETY: none: the process ends before the block is touched.
    unsafe { hooks.free(Domain::Raw, block) };
}

fn wrong_domain_of_realloc() {
    let (mut hooks, block) = block();
    let domain = "  domain o, called through m\n";
    let lines = format!("{domain}  size 20\n{GUARD}{BEHIND}  serial 1\n{DATA}");
    foretell("wrong domain for block", block, &lines);
    // SAFETY: none: the process ends before the block is touched.
    unsafe { hooks.realloc(Domain::Mem, block, 40) };
}

fn no_domain() {
    let (mut hooks, block) = block();
    let domain = "  domain 0x00, called through o\n";
    let lines = format!("{domain}  size 20, not to be trusted\n{GUARD}");
    foretell("wrong domain for block", block, &lines);
    poke(block.wrapping_sub(8), 0);
    free(&mut hooks, block);
}

fn double_free() {
    let (mut hooks, block) = block();
    free(&mut hooks, block);
    let guard = format!("  guard before:{}\n", " dd*".repeat(7));
    // The heap's link of the free list lies over the size.
    // SAFETY: the arena is still mapped, since the last empty one is kept.
    let link = unsafe { block.wrapping_sub(16).cast::<[u8; 8]>().read() };
    let size = format!("  size {}, not to be trusted\n", u64::from_be_bytes(link));
    let lines = format!("  domain 0xdd, called through o\n{size}{guard}");
    foretell("double free of hooked block", block, &lines);
    free(&mut hooks, block);
}

fn corrupt_size() {
    let (mut hooks, block) = block();
    let lines = format!("{DOMAIN}  size 65556, not to be trusted\n{GUARD}");
    foretell("size of block damaged", block, &lines);
    poke(block.wrapping_sub(11), 1);
    free(&mut hooks, block);
}

fn overflow_in_2_3() {
    let mut hooks = Box::new(DebugHooks::<_, Python23Hooks>::new(SystemMalloc));
    let block = hooks.malloc(Domain::Object, 3);
    let lines = "  size 3\n  guard before: fb fb fb\n  guard behind: fb fb fb 00*\n  serial 1\n";
    foretell("guard behind block damaged", block, &format!("{lines}  data: cb cb cb\n"));
    poke(block.wrapping_add(6), 0);
    // SAFETY: none: the process ends before the block is touched.
    unsafe { hooks.free(Domain::Object, block) };
}

const CASES: &[(&str, fn())] = &[
    ("overflow by one", overflow_by_one),
    ("underflow by one", underflow_by_one),
    ("wrong domain", wrong_domain),
    ("wrong domain of realloc", wrong_domain_of_realloc),
    ("no domain", no_domain),
    ("double free", double_free),
    ("corrupt size", corrupt_size),
    ("overflow in 2.3", overflow_in_2_3),
];

/// Runs a case of `test` in a process of its own.
fn child(test: &str, case: usize) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(CASE, case.to_string()).output().unwrap()
}

#[test]
fn damage_dies_with_exactly_its_report() {
    const TEST: &str = "reports::damage_dies_with_exactly_its_report";
    if let Ok(case) = env::var(CASE) {
        let case: usize = case.parse().unwrap();
        CASES[case].1();
        println!("survived");
        return;
    }
    for (case, (name, _)) in CASES.iter().enumerate() {
        let output = child(TEST, case);
        let said = String::from_utf8(output.stdout).unwrap();
        let foretold = said.split_once("<<").and_then(|(_, rest)| rest.split_once(">>"));
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(Some(err.as_str()), foretold.map(|(report, _)| report), "{name}: {said}");
        assert_eq!(output.status.signal(), Some(SIGABRT), "{name}");
    }
}

#[test]
fn serial_number_to_stop_at_raises_a_trap() {
    const TEST: &str = "reports::serial_number_to_stop_at_raises_a_trap";
    if env::var_os(CASE).is_some() {
        let (mut hooks, _) = block();
        hooks.break_at(3);
        hooks.malloc(Domain::Mem, 1);
        print!("\nsecond\n");
        stdout().flush().unwrap();
        hooks.malloc(Domain::Mem, 1);
        println!("third");
        return;
    }
    let output = child(TEST, 0);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\nsecond\n") && !said.contains("third"), "{said}");
    assert_eq!(output.status.signal(), Some(SIGTRAP));
}
