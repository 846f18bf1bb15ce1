//! Many concurrent sign-ins: their CPU cost, and their effect on other requests.

use crate::{
    client::{Answer, OWNER},
    deployment::Deployment,
    processes::processor_time,
};
use serde_json::json;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The sign-in attempts of one network before it has to wait.
const CALLERS: usize = 50;
/// Maximum number of passwords that one queue checks. It covers the password in progress, those
/// waiting, and those that arrive while the queue empties.
const CHECKED_MAX: usize = 30;

#[test]
fn a_flood_of_sign_ins_is_limited_and_delays_no_page() {
    let own = Deployment::set_up();
    let owner = own.owner();
    let device = own.signed_in_device();
    let (begin, done) = (Barrier::new(CALLERS + 1), AtomicUsize::new(0));
    let guess = |number: usize| {
        let body = json!({"email": format!("{number}@example.com"), "password": "a guess of somebody"});
        begin.wait();
        let answer = own.console().post("/api/v1/session", &body);
        done.fetch_add(1, Ordering::SeqCst);
        answer
    };
    let answers: Vec<Answer> = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                scope.spawn({
                    let guess = &guess;
                    move || guess(number)
                })
            })
            .collect();
        begin.wait();
        owner.get("/api/v1/session").expect_status(200);
        assert!(done.load(Ordering::SeqCst) < CALLERS, "the page waited for every password");
        // A device that has signed in before has a queue of its own.
        let known = own.console().with("Cookie", format!("__Host-ownchat-device={device}"));
        known.post("/api/v1/session", &json!({"email": OWNER.email, "password": OWNER.password})).expect_status(200);
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let (checked, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 401);
    assert!((1..=CHECKED_MAX).contains(&checked.len()), "{} passwords were checked", checked.len());
    for answer in refused {
        answer.expect_problem(503, "busy");
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    }
    // A refusal is no failed attempt: this network has not used up its 50.
    own.console()
        .post("/api/v1/session", &json!({"email": "another@example.com", "password": "a guess of somebody"}))
        .expect_problem(401, "wrong_credentials");
}

#[test]
fn no_password_is_hashed_for_a_caller_who_has_left() {
    /// As many as wait in a queue without a refusal.
    const LEAVING: u64 = 8;
    let own = Deployment::set_up();
    let body = |name: &str| json!({"email": format!("{name}@example.com"), "password": "a guess of somebody"});
    let guess = |name: &str| {
        own.console().post("/api/v1/session", &body(name)).expect_problem(401, "wrong_credentials");
    };
    let send = |name: &str| {
        let body = body(name).to_string();
        let (port, length) = (own.port(0), body.len());
        let request = format!(
            "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let used = |work: &dyn Fn()| {
        let before = processor_time(own.pid());
        work();
        processor_time(own.pid()) - before
    };
    guess("first");
    let served = used(&|| (0..LEAVING).for_each(|number| guess(&format!("served-{number}"))));
    let left = |round: usize| {
        used(&|| {
            let mut waiting: Vec<_> = (0..LEAVING).map(|number| send(&format!("left-{round}-{number}"))).collect();
            // The others are in the queue when the first response arrives.
            waiting.first_mut().unwrap().read_exact(&mut [0; 1]).unwrap();
            drop(waiting);
            guess(&format!("last-{round}"));
        })
    };
    // Only the first, the one after it and the last are hashed. Where this machine is busy with
    // other tests, some leave too late in a round.
    let left: Vec<u64> = (0..3).map(left).collect();
    assert!(
        left.iter().any(|left| left * LEAVING < served * 5),
        "{LEAVING} passwords took {served} hundredths of a second, those of callers who left {left:?}"
    );
}
