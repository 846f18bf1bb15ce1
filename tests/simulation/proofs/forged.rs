//! Keys that were made up, mistyped or altered cost no storage at all.

use crate::{figures::tell, proofs, size::size};
use ownchat_domain::{
    locator::Locator,
    token::{Environment, Token},
};
use ownchat_simulation::{Caller, Latency, Question, Settings, World};
use rand::{Rng, SeedableRng, distr::Alphanumeric, rngs::SmallRng};
use std::thread;

proofs![made_up_keys_cost_no_storage];

const CALLERS: u64 = 4;

fn made_up_keys_cost_no_storage() {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let world = World::start(&Settings { edges: 2, kv, wire, ..Settings::default() });
    let made = world.found(1).make("Real", &["contacts:read"]);
    for mut caller in world.callers() {
        assert_eq!(caller.code(&Question::about(&made.token)), "VALID");
    }
    // What was set going by the good calls comes to its end.
    world.clock.until(60_000, || {
        let before = (world.kv.counts(), world.wire.all());
        world.clock.wait(10_000);
        before == (world.kv.counts(), world.wire.all())
    });
    let before = (world.kv.counts(), world.wire.all());
    let count = size(100_000, 1_000_000);
    thread::scope(|scope| {
        for number in 0..CALLERS {
            let (caller, real) = (world.caller(usize::try_from(number).unwrap() % 2), &made.token);
            scope.spawn(move || call(caller, real, count / CALLERS, number));
        }
    });
    let after = (world.kv.counts(), world.wire.all());
    let found = format!(
        "{count}: {} operations of KV, {} questions to the vault",
        after.0.all() - before.0.all(),
        after.1 - before.1
    );
    tell("made-up keys", &found);
    assert_eq!(before, after);
}

fn call(mut caller: Caller, real: &str, count: u64, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    for number in 0..count {
        let text = match number % 8 {
            0 => altered(real, &mut random),
            1 => real.replace("live", "test"),
            2 => made_up(&mut random).chars().take(random.random_range(1..55)).collect(),
            _ => made_up(&mut random),
        };
        let code = caller.code(&Question::about(&text));
        assert_eq!(code, "MALFORMED_KEY", "{text}");
    }
}

/// A key with the right shape and the right check, that nobody issued.
fn made_up(random: &mut SmallRng) -> String {
    let environment = Environment::ALL[random.random_range(0..2)];
    let locator = loop {
        if let Ok(locator) = text(random, 16).parse::<Locator>() {
            break locator;
        }
    };
    Token { environment, locator, secret: text(random, 24).parse().unwrap() }.reveal().to_string()
}

fn text(random: &mut SmallRng, length: usize) -> String {
    random.sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

/// A real key with one character changed.
fn altered(real: &str, random: &mut SmallRng) -> String {
    let place = random.random_range(0..real.len());
    let other = if &real[place..=place] == "x" { "y" } else { "x" };
    format!("{}{other}{}", &real[..place], &real[place + 1..])
}
