//! Forged, mistyped and altered keys cost no storage operation. Unknown keys cost a bounded number
//! of requests to the registry.

use crate::{figures::report, size::size};
use ownchat_domain::{
    environment::Environment,
    keyring::Keyring,
    locator::{KeyNumber, Locator},
    time::SECOND,
    token::Token,
};
use ownchat_runtime::{JSON, MASTER_KEYS, SERVICE};
use ownchat_simulation::{EdgeClient, Fault, Latency, Load, VerifyRequest, World, WorldConfig};
use rand::{Rng, SeedableRng, distr::Alphanumeric, rngs::SmallRng};
use serde_json::json;
use std::{ops::Range, sync::Barrier, thread};

const CALLERS: u64 = 4;

#[test]
fn made_up_keys_cost_no_storage() {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let world = World::start(&WorldConfig { load: Load::Quarters(6), edges: 2, kv, wire, ..WorldConfig::default() });
    let made = world.found(1).make("Real", &["contacts:read"]);
    for mut caller in world.callers() {
        assert_eq!(caller.code(&VerifyRequest::of(&made.token)), "VALID");
    }
    // Wait for the deferred tasks of the good calls.
    world.clock.until(60_000, || {
        let before = (world.kv.counts(), world.wire.all());
        world.clock.wait(10_000);
        before == (world.kv.counts(), world.wire.all())
    });
    let before = (world.kv.counts(), world.wire.all());
    let count = size(40_000, 1_000_000);
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
    report("made-up keys", &found);
    assert_eq!(before, after);
}

fn call(mut caller: EdgeClient, real: &str, count: u64, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    for number in 0..count {
        let text = match number % 8 {
            0 => altered(real, &mut random),
            1 => real.replace("live", "test"),
            2 => made_up(&mut random).chars().take(random.random_range(1..55)).collect(),
            _ => made_up(&mut random),
        };
        let code = caller.code(&VerifyRequest::of(&text));
        assert_eq!(code, "MALFORMED_KEY", "{text}");
    }
}

/// A key with the right shape and checksum that was never issued.
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

/// A real key with one altered character.
fn altered(real: &str, random: &mut SmallRng) -> String {
    let place = random.random_range(0..real.len());
    let other = if &real[place..=place] == "x" { "y" } else { "x" };
    format!("{}{other}{}", &real[..place], &real[place + 1..])
}

/// Lookups of unknown keys that may be in flight for one client IP address.
const AT_ONCE: u64 = 200;
/// Further lookups before an address is limited to one a second.
const BURST: u64 = 20;

#[test]
fn a_flood_of_absent_keys_is_limited() {
    flood(Fault::None);
}

#[test]
fn a_flood_of_absent_keys_is_limited_without_the_feed() {
    flood(Fault::Error);
}

fn flood(feed: Fault) {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let world = World::start(&WorldConfig { load: Load::Quarters(1), factor: 1.0, kv, wire, ..WorldConfig::default() });
    world.found(1);
    world.wire.fail("feed", feed);
    let asked = |work: &dyn Fn()| {
        let before = world.wire.asked("registry");
        work();
        world.wire.asked("registry") - before
    };
    // All at once, so that no negative result is cached when they are sent.
    world.wire.fail("registry", Fault::Slow(SECOND));
    let at_once = asked(&|| send(&world, 0..600, 600));
    // One after the other, after the limiter of the address has refilled.
    world.wire.fail("registry", Fault::None);
    world.clock.wait(i64::try_from(BURST).unwrap() * SECOND);
    let one_by_one = asked(&|| send(&world, 1_000..1_060, 1));
    let found = format!("600 at once: {at_once} questions; 60 one by one: {one_by_one}");
    report(&format!("keys that are gone, feed: {feed:?}"), &found);
    assert!((BURST..=AT_ONCE + BURST + 10).contains(&at_once), "{at_once}");
    assert!((BURST..=BURST + 10).contains(&one_by_one), "{one_by_one}");
}

/// Sends keys that were never issued from one address, `at_once` of them concurrently.
fn send(world: &World, numbers: Range<u32>, at_once: usize) {
    let (keyring, numbers) = (Keyring::parse(MASTER_KEYS).unwrap(), numbers.collect::<Vec<_>>());
    let (ready, keyring) = (Barrier::new(at_once), &keyring);
    thread::scope(|scope| {
        let start = |numbers: &[u32]| {
            let (numbers, ready, mut caller) = (numbers.to_vec(), &ready, world.caller(0));
            scope.spawn(move || {
                let bodies = numbers.into_iter().map(|number| {
                    let address = KeyNumber { workspace: 1, number: 4_000_000_000 + number };
                    let locator = Locator::issue(keyring, address, Environment::Live);
                    let secret = "0123456789ABCDEFGHIJKLMN".parse().unwrap();
                    let token = Token { environment: Environment::Live, locator, secret }.reveal().to_string();
                    json!({"key": token}).to_string()
                });
                let bodies: Vec<_> = bodies.collect();
                ready.wait();
                let headers = [("CF-Connecting-IP", "192.0.2.1"), JSON, SERVICE];
                for body in bodies {
                    let code = caller.call("POST", "/v1/verify", &headers, body.as_bytes()).json()["code"].to_string();
                    // A busy machine may not answer so many concurrent requests in time.
                    assert!(
                        ["UNKNOWN_KEY", "RATE_LIMITED", "UNAVAILABLE"].iter().any(|of| code.contains(of)),
                        "{code}"
                    );
                }
            });
        };
        numbers.chunks(numbers.len() / at_once).for_each(start);
    });
}

#[test]
fn of_many_who_lack_the_same_key_without_a_feed_one_asks() {
    const CALLERS: usize = 50;
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let world = World::start(&WorldConfig { factor: 1.0, kv, wire, ..WorldConfig::default() });
    let request = VerifyRequest::of(&world.found(1).make("Real", &["contacts:read"]).token);
    world.wire.fail("feed", Fault::Error);
    assert_eq!(world.caller(0).settled(&request, world.clock), "VALID", "{}", world.logs());
    for (slow, code) in [(SECOND / 2, "VALID"), (2_800, "VALID"), (30 * SECOND, "UNAVAILABLE")] {
        world.wire.fail("registry", Fault::Slow(slow));
        // A response of the registry stays fresh for 5 s.
        world.clock.wait(6 * SECOND);
        let (before, ready) = (world.wire.asked("registry"), Barrier::new(CALLERS));
        thread::scope(|scope| {
            for _ in 0..CALLERS {
                let (mut caller, ready, request) = (world.caller(0), &ready, &request);
                scope.spawn(move || {
                    ready.wait();
                    assert_eq!(caller.code(request), code, "{slow} ms");
                });
            }
        });
        let asked = world.wire.asked("registry") - before;
        let found = format!("{CALLERS} calls, {code}: {asked} questions to the registry");
        report(&format!("calls at once with one key, no feed, registry {slow} ms slow"), &found);
        assert!(asked <= 3, "{asked}");
    }
}
