//! How many tasks there are: counted along, since nothing that creates a task may count them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension};

use super::super::super::Principal;
use super::super::error::{Failure, Problem};

/// The counts that a transaction has to do with: read when they are first asked for, and written once, at its end.
#[derive(Default)]
pub(super) struct Ledger {
    everybody: Option<Account>,
    principals: HashMap<Principal, Account>,
}

#[derive(Clone, Copy)]
struct Account {
    was: Counts,
    is: Counts,
}

/// How many tasks there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    running: i64,
    kept: i64,
}

impl Counts {
    /// At work.
    pub(super) fn running(self) -> usize {
        usize::try_from(self.running).unwrap_or(0)
    }

    /// At work, or over and not removed.
    pub(super) fn kept(self) -> usize {
        usize::try_from(self.kept).unwrap_or(0)
    }
}

impl Account {
    fn new(running: i64, kept: i64) -> Self {
        let was = Counts { running, kept };
        Self { was, is: was }
    }

    fn add(&mut self, running: i64, kept: i64) {
        // Never less than none, whatever the file says.
        self.is.running = self.is.running.saturating_add(running).max(0);
        self.is.kept = self.is.kept.saturating_add(kept).max(0);
    }

    fn is_changed(self) -> bool {
        self.is != self.was
    }
}

impl Ledger {
    /// How many there are in all, and of a principal.
    pub(super) fn counts(&mut self, sql: &Connection, of: &Principal) -> Result<(Counts, Counts), Failure> {
        Ok((self.everybody(sql)?.is, self.account(sql, of)?.is))
    }

    pub(super) fn created(&mut self, sql: &Connection, of: &Principal) -> Result<(), Failure> {
        self.add(sql, of, 1, 1)
    }

    pub(super) fn ended(&mut self, sql: &Connection, of: &Principal) -> Result<(), Failure> {
        self.add(sql, of, -1, 0)
    }

    /// So many are gone, of which so many were at work.
    pub(super) fn removed(
        &mut self,
        sql: &Connection,
        of: &Principal,
        kept: i64,
        running: i64,
    ) -> Result<(), Failure> {
        self.add(sql, of, -running, -kept)
    }

    fn add(&mut self, sql: &Connection, of: &Principal, running: i64, kept: i64) -> Result<(), Failure> {
        self.everybody(sql)?.add(running, kept);
        self.account(sql, of)?.add(running, kept);
        Ok(())
    }

    fn everybody(&mut self, sql: &Connection) -> Result<&mut Account, Failure> {
        let account = match self.everybody {
            Some(account) => account,
            None => sql
                .prepare_cached("SELECT running, kept FROM totals")?
                .query_row((), |row| Ok(Account::new(row.get(0)?, row.get(1)?)))?,
        };
        Ok(self.everybody.insert(account))
    }

    fn account(&mut self, sql: &Connection, of: &Principal) -> Result<&mut Account, Failure> {
        match self.principals.entry(of.clone()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let mut statement =
                    sql.prepare_cached("SELECT running, kept FROM accounts WHERE principal = ?1")?;
                let account =
                    statement.query_row((of.as_str(),), |row| Ok(Account::new(row.get(0)?, row.get(1)?)));
                Ok(place.insert(account.optional()?.unwrap_or(Account::new(0, 0))))
            }
        }
    }

    /// Writes what changed.
    pub(super) fn write(&self, sql: &Connection) -> Result<(), Problem> {
        if let Some(Account { is, .. }) = self.everybody.filter(|account| account.is_changed()) {
            sql.prepare_cached("UPDATE totals SET running = ?1, kept = ?2")?
                .execute((is.running, is.kept))?;
        }
        for (principal, Account { is, .. }) in
            self.principals.iter().filter(|(_, account)| account.is_changed())
        {
            if is.kept == 0 {
                sql.prepare_cached("DELETE FROM accounts WHERE principal = ?1")?
                    .execute((principal.as_str(),))?;
            } else {
                sql.prepare_cached(
                    "INSERT INTO accounts (principal, running, kept) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (principal) DO UPDATE SET running = excluded.running, kept = excluded.kept",
                )?
                .execute((principal.as_str(), is.running, is.kept))?;
            }
        }
        Ok(())
    }
}
