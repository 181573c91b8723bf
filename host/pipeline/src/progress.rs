//! How far a run is, for whoever watches it.

#[derive(Clone, Debug)]
pub enum Progress {
    Source {
        name: String,
        bytes: u64,
        bytes_total: u64,
    },
    Collected {
        name: String,
        charges: u64,
        set_aside: u64,
    },
    /// Estimates were taken back, since the bill has them by now.
    TakenBack {
        name: String,
        bill: String,
        days: u64,
    },
    Rules {
        resources: u64,
    },
    Days {
        done: u64,
        total: u64,
    },
    /// The commit begins. Before it, nothing of the run is in the ledger.
    Posting,
    Posted,
}
