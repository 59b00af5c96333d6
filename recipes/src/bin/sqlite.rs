//! Fills an SQL table from a parallel loop over files, and queries it in parallel.
//!
//! A connection is used by one thread at a time. Writing: the files are read in parallel, and their rows come back in
//! order to the thread that has the connection, which inserts them in one transaction. Querying: each worker has a
//! connection of its own, made when it first needs one, and the rows that the loop goes through are pulled by the calling
//! thread, since an iterator over rows belongs to its connection and cannot leave its thread.
//!
//! ```text
//! cargo run -p futureproof-recipes --bin sqlite                   the files of this repository
//! cargo run -p futureproof-recipes --bin sqlite -- --database doc.sqlite /usr/share/doc
//! ```

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use futureproof::{parallel_for, pull_here, task_pool};
use futureproof_recipes::{at, files, repository};
use rusqlite::{Connection, OpenFlags, params};

/// Lists, for each kind of file below a directory, how many there are, their lines, and the longest of them
#[derive(Parser)]
struct Args {
    /// Where the files are; without it, those of this repository
    directory: Option<PathBuf>,
    /// Where the table goes, and stays; without it, in a temporary file
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
}

/// Reads the files below `root` in parallel, and writes a row for each: all or none.
fn import(database: &Path, root: &Path) -> Result<usize, Box<dyn Error>> {
    let mut connection = Connection::open(database)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "DROP TABLE IF EXISTS file;
         CREATE TABLE file (id INTEGER PRIMARY KEY, path TEXT, kind TEXT, bytes INTEGER, lines INTEGER);
         CREATE INDEX file_kind ON file (kind, lines);",
    )?;
    let mut insert =
        transaction.prepare("INSERT INTO file (path, kind, bytes, lines) VALUES (?, ?, ?, ?)")?;
    let mut rows = 0;
    for row in measure::map(files(root)) {
        let Row { path, bytes, lines } = row?.result;
        let kind = path.extension().unwrap_or_default().to_string_lossy();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
        rows += insert.execute(params![name, kind, bytes, lines])?;
    }
    drop(insert);
    transaction.commit()?;
    Ok(rows)
}

struct Row {
    path: PathBuf,
    bytes: usize,
    lines: usize,
}

#[task_pool(keep_args = false)]
fn measure(path: io::Result<PathBuf>) -> io::Result<Row> {
    let path = path?;
    let text = fs::read(&path).map_err(|error| at(&path, error))?;
    Ok(Row {
        path,
        bytes: text.len(),
        lines: text.iter().filter(|&&byte| byte == b'\n').count(),
    })
}

/// Asks the database two questions about each kind of file.
fn kinds(database: &Path) -> rusqlite::Result<Vec<String>> {
    let open = || Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = open()?;
    let mut kinds = connection.prepare("SELECT DISTINCT kind FROM file ORDER BY kind")?;
    let kinds = kinds.query_map([], |row| row.get::<_, String>(0))?;

    // Rows that are not `Send` would be pulled by the calling thread without `pull_here`, too; with it, that is said.
    let mut table = Vec::new();
    parallel_for!(
        name = "kinds",
        reduce(table), // in the order of the rows
        local(connection = open()?),
        for kind in pull_here(kinds) {
            let kind = kind?;
            let (count, lines): (u64, u64) = connection.query_row(
                "SELECT count(*), sum(lines) FROM file WHERE kind = ?",
                [&kind],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let (path, most): (String, u64) = connection.query_row(
                "SELECT path, lines FROM file WHERE kind = ? ORDER BY lines DESC, path LIMIT 1",
                [&kind],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            table.push(format!(
                "{kind:<8} {count:>6} {lines:>9}   {path} has {most}"
            ));
        }
    );
    Ok(table)
}

fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let temporary = std::env::temp_dir().join(format!("recipe-{}.sqlite", std::process::id()));
    let database = args.database.as_ref().unwrap_or(&temporary);
    let root = args.directory.as_deref().unwrap_or(repository());
    let rows = import(database, root);
    let table = rows.and_then(|rows| Ok((rows, kinds(database)?)));
    if args.database.is_none() {
        let _ = fs::remove_file(&temporary); // it is not there if it could not be made
    }
    let (rows, table) = table?;
    let mut out = io::stdout().lock();
    writeln!(out, "{:<8} {:>6} {:>9}", "kind", "files", "lines")?;
    for line in table {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{rows} rows in all")?;
    Ok(())
}

fn main() -> ExitCode {
    let args = Args::parse();
    futureproof_recipes::init_log();
    futureproof_recipes::exit(run(args))
}
