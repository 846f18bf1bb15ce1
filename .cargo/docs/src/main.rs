#![doc = include_str!("../README.md")]

mod book;
mod error;
mod frame;
mod markdown;
mod search;
mod source;
mod tables;

use book::Book;
use error::BookError;
use std::{env, fs, io, path::Path, process::ExitCode};

/// The script of the pages: search, and copy buttons for code.
const SCRIPT: &str = include_str!("docs.js");

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [source, output] = arguments.as_slice() else {
        eprintln!("usage: ownchat-docs SOURCE OUTPUT");
        return ExitCode::from(2);
    };
    match render(Path::new(source), Path::new(output)) {
        Ok(pages) => {
            println!("{pages} pages");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Renders every page and returns the number of pages. Replaces the folder `output`.
fn render(source: &Path, output: &Path) -> Result<usize, BookError> {
    let book = Book::read(source)?;
    let write = || -> io::Result<()> {
        if output.exists() {
            fs::remove_dir_all(output)?;
        }
        let docs = output.join("docs");
        fs::create_dir_all(&docs)?;
        for page in book.pages() {
            fs::write(docs.join(format!("{}.html", page.name)), frame::page(&book, page))?;
            fs::write(docs.join(format!("{}.md", page.name)), &page.markdown)?;
        }
        fs::write(docs.join("search.json"), search::index(&book))?;
        fs::write(docs.join("docs.js"), SCRIPT)?;
        fs::write(output.join("llms.txt"), book.overview())
    };
    write().map_err(|error| BookError::new(output.display(), error))?;
    Ok(book.pages().count())
}
