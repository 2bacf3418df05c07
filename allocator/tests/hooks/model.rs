//! Random operations against a model that knows the contents of every live block.

use arenite::{
    DebugHooks, Domain, Era, NextAllocator, Pymalloc39, Pymalloc311, Python23Hooks, Python27Hooks,
    Python38Hooks, SystemMalloc,
};

use crate::random::Random;

const DOMAINS: [Domain; 3] = [Domain::Raw, Domain::Mem, Domain::Object];

/// The first `len` bytes are `mark`, the rest `fill`.
fn check(block: *const u8, len: usize, mark: u8, size: usize, fill: u8) {
    // SAFETY: a live block of `size` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(block, size) };
    assert!(bytes[..len].iter().all(|&byte| byte == mark), "contents {size}");
    assert!(bytes[len..].iter().all(|&byte| byte == fill), "fill {size}");
}

fn run<A: NextAllocator, E: Era>(name: &'static str, inner: A) {
    let mut hooks = Box::new(DebugHooks::<A, E, true>::new(inner));
    let mut live: Vec<(*mut u8, usize, u8, Domain)> = Vec::new();
    let mut random = Random::seeded(name, 0x5eed_0e01);
    let mut below = |limit: usize| random.below(limit);
    for step in 0..20_000 {
        let size = below([20, 150, 600, 3000][step % 4]);
        let (mark, domain) = (step as u8, DOMAINS[below(3)]);
        match below(if live.len() > 500 { 8 } else { 5 }) {
            0..3 => {
                let (block, fill) = match below(3) {
                    0 => (hooks.calloc(domain, 1, size), 0),
                    1 => (hooks.malloc(domain, size), E::CLEAN),
                    _ => (hooks.aligned_alloc(domain, 8 << below(6), size), E::CLEAN),
                };
                check(block, 0, 0, size, fill);
                // SAFETY: a live block of this size.
                unsafe { block.write_bytes(mark, size) };
                live.push((block, size, mark, domain));
            }
            3 if !live.is_empty() => {
                let place = below(live.len());
                let (block, old, was, domain) = live[place];
                // SAFETY: live, replaced in the model.
                let block = unsafe { hooks.realloc(domain, block, size) };
                check(block, old.min(size), was, size, E::CLEAN);
                // SAFETY: a live block of this size.
                unsafe { block.write_bytes(mark, size) };
                live[place] = (block, size, mark, domain);
            }
            _ if !live.is_empty() => {
                let (block, size, mark, domain) = live.swap_remove(below(live.len()));
                check(block, size, mark, size, 0);
                // SAFETY: live, freed once.
                unsafe { hooks.free(domain, block) };
            }
            _ => {}
        }
        if step % 1000 == 0 {
            assert_eq!(hooks.validate(), Ok(live.len()));
        }
    }
    for (block, size, mark, domain) in live {
        check(block, size, mark, size, 0);
        // SAFETY: live, freed once.
        unsafe { hooks.free(domain, block) };
    }
    assert_eq!(hooks.live_blocks().count(), 0);
}

#[test]
fn random_operations_keep_contents_and_fills() {
    run::<_, Python38Hooks>("3.8 on pymalloc-3.9", Pymalloc39::preset(SystemMalloc));
    run::<_, Python38Hooks<true>>(
        "3.8 with serials on pymalloc-3.11",
        Pymalloc311::preset(SystemMalloc),
    );
    run::<_, Python27Hooks>("2.7 on system", SystemMalloc);
    run::<_, Python23Hooks>("2.3 on system", SystemMalloc);
}
