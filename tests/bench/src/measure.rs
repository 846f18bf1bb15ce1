//! CPU time per request: user and system time of the server's process, all its threads, over a
//! number of requests. The subjects take several turns in each round (A B A B), so other load meets
//! all alike. The median of the rounds counts.

use crate::figures::{each, median};
use ownchat_runtime::{Answer, HttpClient, Process};
use std::{net::SocketAddr, thread, time::Duration};

/// Size of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Requests of one turn.
    pub requests: u32,
    /// Turns of each subject in a round.
    pub turns: u32,
    /// Requests to each subject before the first round.
    pub warm_up: u32,
    /// Number of rounds.
    pub rounds: u32,
    /// Concurrent callers. Each waits for its response before the next call.
    pub callers: u32,
}

/// Expected body of a response.
#[derive(Clone, Debug)]
pub enum ExpectedBody {
    /// These bytes.
    Is(Vec<u8>),
    /// JSON with this `code`. The response names its own request, so no two are the same.
    Says(&'static str),
}

/// A request to a server, with the expected response.
#[derive(Clone, Debug)]
pub struct MeasuredRequest<'a> {
    /// Name in messages.
    pub name: &'static str,
    /// The process of the server, which runs nothing else.
    pub process: &'a Process,
    /// Address of the server.
    pub address: SocketAddr,
    /// The serialized request.
    pub request: Vec<u8>,
    /// Expected status.
    pub status: u16,
    /// Expected body.
    pub body: ExpectedBody,
}

impl MeasuredRequest<'_> {
    /// Sends `count` requests, and checks every response.
    fn call(&self, count: u32, callers: u32) {
        thread::scope(|scope| {
            for caller in 0..callers {
                // The shares add up to `count`, including the remainder.
                let share = (count + caller) / callers;
                scope.spawn(move || {
                    let mut client = HttpClient::new(self.address);
                    for _ in 0..share {
                        let answer = client.send(&self.request).unwrap();
                        assert!(self.is_right(&answer), "{}: {} {}", self.name, answer.status, answer.text());
                    }
                });
            }
        });
    }

    fn is_right(&self, answer: &Answer) -> bool {
        answer.status == self.status
            && match &self.body {
                ExpectedBody::Is(bytes) => answer.body == *bytes,
                ExpectedBody::Says(code) => answer.json()["code"] == *code,
            }
    }
}

/// Microseconds per request of each subject, in their order.
pub fn compare<const N: usize>(subjects: &[MeasuredRequest<'_>; N], plan: Plan) -> [f64; N] {
    for subject in subjects {
        subject.call(plan.warm_up, plan.callers);
    }
    let mut rounds: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..plan.rounds {
        let mut used = [Duration::ZERO; N];
        for _ in 0..plan.turns {
            for (subject, used) in subjects.iter().zip(&mut used) {
                let before = subject.process.cpu();
                subject.call(plan.requests, plan.callers);
                *used += subject.process.cpu().saturating_sub(before);
            }
        }
        for (figures, used) in rounds.iter_mut().zip(used) {
            figures.push(each(used, plan.requests * plan.turns));
        }
    }
    rounds.map(|figures| median(&figures).unwrap())
}
