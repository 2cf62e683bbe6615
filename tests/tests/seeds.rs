//! The inputs that the fuzz targets start from, with what must hold for each: on every toolchain, without a fuzzer.

#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::Path;

fn each(target: &str, run: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut count = 0;
    for seed in fs::read_dir(&seeds).expect("there are seeds") {
        let seed = seed.expect("a seed").path();
        println!("{}", seed.display());
        run(&fs::read(&seed).expect("a seed can be read"));
        count += 1;
    }
    assert!(count > 0, "{} is empty", seeds.display());
}

#[test]
fn frames() {
    each("frames", fuzz::frames);
}

#[test]
fn headers() {
    each("headers", fuzz::headers);
}

#[test]
fn resumption() {
    each("resumption", fuzz::resumption);
}
