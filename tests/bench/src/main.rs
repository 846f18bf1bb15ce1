#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a benchmark that meets what it does not expect fails"
)]

mod cpu;
mod equal;
mod figures;
mod keys;
mod measure;
mod operations;
mod revocation;
mod row;
mod testbed;

use cpu::Everybody;
use std::{env, fs, path::PathBuf};
use testbed::Testbed;

fn main() {
    let folder = PathBuf::from(env::args_os().nth(1).expect("the first argument names the folder of the result"));
    fs::create_dir_all(&folder).unwrap();

    let mut testbed = Testbed::start();
    println!("counting operations …");
    let mut counted = operations::rows(&mut testbed);
    let everybody = Everybody::start(&testbed);
    println!("comparing answers …");
    let cases = keys::cases(&mut testbed);
    equal::check(&everybody.ours, &everybody.verify, &cases);
    equal::check(&everybody.ours, &everybody.lean, &cases);
    println!("measuring, for a few minutes …");
    let mut rows = cpu::rows(&everybody, cases.first().unwrap());
    rows.append(&mut counted);
    rows.push(revocation::row(&folder));
    rows.sort_by_key(|row| row.id.split(' ').next().unwrap_or_default().to_owned());

    let file = folder.join("summary.json");
    let judged: Vec<_> = rows.iter().map(|row| row::Judged { row, reached: row.is_reached() }).collect();
    fs::write(&file, serde_json::to_vec_pretty(&judged).unwrap()).unwrap();
    println!("\n{}\nwritten to {}", row::table(&rows), file.display());
}
