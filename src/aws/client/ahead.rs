//! Answers to calls that were made ahead of those who need them.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Mutex;

use super::{Answer, lock};
use crate::aws::error::CallError;
use crate::aws::operation::{Operation, Wire};
use crate::aws::protocol;
use crate::model::Region;

/// A call, by which one that was made ahead is known again: operation, region and body.
type Question = (&'static str, Region, Vec<u8>);

/// What came of a call of whichever operation.
type Kept = Box<dyn Any + Send>;

/// Keeps what came of a call for the next one who makes it.
#[derive(Default)]
pub(super) struct Ahead(Mutex<HashMap<Question, Kept>>);

/// What came of a call of `O`.
type Came<O> = Result<Answer<<O as Operation>::Output>, CallError>;

impl Ahead {
    /// Keeps `answer`, once.
    pub(super) fn keep<O: Operation>(&self, region: &Region, operation: &O, answer: Came<O>) {
        lock(&self.0).insert(question(region, operation), Box::new(answer));
    }

    /// What was kept of this call.
    pub(super) fn take<O: Operation>(&self, region: &Region, operation: &O) -> Option<Came<O>> {
        let mut kept = lock(&self.0);
        // Most calls are no one's first, and need not be written out for this.
        if kept.is_empty() {
            return None;
        }
        let answer = kept.remove(&question(region, operation))?;
        answer.downcast().ok().map(|answer| *answer)
    }
}

fn question<O: Operation>(region: &Region, operation: &O) -> Question {
    let body = match operation.wire() {
        Wire::Json { body, .. } => body,
        Wire::Query(parameters) => protocol::query::body(&parameters),
    };
    (O::NAME, region.clone(), body)
}
