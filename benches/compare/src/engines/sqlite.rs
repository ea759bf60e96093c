//! SQLite: one table with three indices, a write-ahead log, every commit synced.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Row, params};

use crate::Outcome;
use crate::engine::{Ack, Engine, Input, Question, Visit};
use crate::queue::Queue;
use crate::sample::{Sample, Seen};

pub(crate) const NAME: &str = "sqlite";

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS events (
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        correlation TEXT NOT NULL,
        time INTEGER NOT NULL,
        id BLOB NOT NULL,
        data TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS by_kind ON events (kind);
    CREATE INDEX IF NOT EXISTS by_correlation ON events (correlation);
    CREATE INDEX IF NOT EXISTS by_time ON events (time);";
const COLUMNS: &str = "SELECT kind, correlation, time, data FROM events";

/// An open database: a connection that writes, and one that reads.
pub(crate) struct Sqlite {
    queue: Queue,
    writer: Arc<Mutex<Connection>>,
    reader: Mutex<Connection>,
}

impl Sqlite {
    pub(crate) fn open(dir: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(dir)?;
        let file = dir.join("events.sqlite");
        let writer = Arc::new(Mutex::new(connect(&file)?));
        locked(&writer).execute_batch(SCHEMA)?;
        let of_writer = writer.clone();
        let queue = Queue::new(Box::new(move |samples| commit(&mut locked(&of_writer), samples)));
        Ok(Self { queue, writer, reader: Mutex::new(connect(&file)?) })
    }
}

fn connect(file: &PathBuf) -> Outcome<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
    // 64 MiB of pages; the default of 2 MiB is made for small devices.
    connection.pragma_update(None, "cache_size", -65_536)?;
    Ok(connection)
}

fn locked(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn commit(connection: &mut Connection, samples: &[Sample]) -> Outcome<()> {
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO events (kind, correlation, time, id, data) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for Sample { kind, correlation, time, id, data } in samples {
            insert.execute(params![kind, correlation, time, id.to_be_bytes(), data])?;
        }
    }
    Ok(transaction.commit()?)
}

fn give(row: &Row<'_>, visit: Visit<'_>) -> Outcome<()> {
    visit(Seen {
        kind: row.get_ref(0)?.as_str()?,
        correlation: row.get_ref(1)?.as_str()?,
        time: row.get_ref(2)?.as_i64()?,
        data: row.get_ref(3)?.as_str()?,
    });
    Ok(())
}

impl Engine for Sqlite {
    fn append(&self, input: Input) -> Ack<'_> {
        match input.samples() {
            Ok(samples) => self.queue.append(samples),
            Err(cause) => Box::pin(async { Err(cause) }),
        }
    }

    fn append_here(&self, input: Input) -> Outcome<()> {
        commit(&mut locked(&self.writer), &input.samples()?)
    }

    fn ask(&self, question: &Question, visit: Visit<'_>) -> Outcome<()> {
        let reader = locked(&self.reader);
        let (rest, values): (&str, Vec<Box<dyn rusqlite::ToSql>>) = match question {
            Question::Correlation(id) => {
                ("WHERE correlation = ?1 ORDER BY number", vec![Box::new(id.clone())])
            }
            Question::Newest(kind, limit) => (
                "WHERE kind = ?1 ORDER BY number DESC LIMIT ?2",
                vec![Box::new(*kind), Box::new(i64::try_from(*limit)?)],
            ),
            Question::Between(since, until) => (
                "WHERE time >= ?1 AND time < ?2 ORDER BY time",
                vec![Box::new(*since), Box::new(*until)],
            ),
            Question::All => ("ORDER BY number", Vec::new()),
        };
        let mut select = reader.prepare_cached(&format!("{COLUMNS} {rest}"))?;
        let mut rows = select.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            give(row, visit)?;
        }
        Ok(())
    }

    fn keep_newest(&self, count: u64) -> Outcome<bool> {
        let writer = locked(&self.writer);
        let most = i64::try_from(count)?;
        writer.execute(
            "DELETE FROM events WHERE number <= (SELECT max(number) FROM events) - ?1",
            params![most],
        )?;
        Ok(true)
    }

    fn give_back(&mut self) -> Outcome<()> {
        locked(&self.writer).execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        let Self { queue, writer, reader } = *self;
        drop(queue);
        drop(reader);
        // The last connection that closes writes the log into the database.
        drop(writer);
        Ok(())
    }
}
