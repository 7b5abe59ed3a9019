//! Results of calls that were made before they were needed.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Mutex;

use super::{CallOutput, lock};
use crate::aws::error::CallError;
use crate::aws::operation::{Operation, RequestBody};
use crate::aws::protocol;
use crate::model::Region;

/// The key of a kept result: operation, region and request body.
type Question = (&'static str, Region, Vec<u8>);

/// The result of a call of any operation.
type Kept = Box<dyn Any + Send>;

/// Keeps the result of a call for the next identical call.
#[derive(Default)]
pub(super) struct Ahead(Mutex<HashMap<Question, Kept>>);

/// The result of a call of `O`.
type Came<O> = Result<CallOutput<<O as Operation>::Output>, CallError>;

impl Ahead {
    /// Keeps `answer` for one later call.
    pub(super) fn keep<O: Operation>(&self, region: &Region, operation: &O, answer: Came<O>) {
        lock(&self.0).insert(question(region, operation), Box::new(answer));
    }

    /// Takes the kept result of this call; `None` if nothing is kept.
    pub(super) fn take<O: Operation>(&self, region: &Region, operation: &O) -> Option<Came<O>> {
        let mut kept = lock(&self.0);
        // Usually nothing is kept, and the key need not be built.
        if kept.is_empty() {
            return None;
        }
        let answer = kept.remove(&question(region, operation))?;
        answer.downcast().ok().map(|answer| *answer)
    }
}

fn question<O: Operation>(region: &Region, operation: &O) -> Question {
    let body = match operation.request_body() {
        RequestBody::Json { body, .. } => body,
        RequestBody::Query(parameters) => protocol::query::body(&parameters),
    };
    (O::NAME, region.clone(), body)
}
