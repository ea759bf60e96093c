//! What events come to: pages of them, folded as they are read.

use foundation_logic::event::{Aggregated, Aggregator};
use foundation_types::event::Aggregation;
use foundation_types::limits::AGGREGATE_PAGE_EVENTS;
use foundation_types::{EventQuery, Result};
use foundation_validate::event as rules;

use super::{EventStore, Expired};

impl EventStore {
    /// What the events that answer the query come to: counts, rates, sums and percentiles, by groups
    /// and in windows of their time.
    ///
    /// Events are read in the order of the query and forgotten one by one, so that memory grows with
    /// the rows and not with the events. All of it has to be done within
    /// `interface.query_timeout_ms`.
    ///
    /// ```
    /// use foundation_types::EventQuery;
    /// use foundation_types::event::{Aggregation, By};
    /// # async fn by_type(events: foundation_services::event::EventStore) -> foundation_types::Result<()> {
    /// let slowest = Aggregation::count().measure("p95:data.took_ms".parse()?).by(By::Type);
    /// for row in events.aggregate(EventQuery::all(), slowest).await?.rows {
    ///     println!("{:?} {:?}", row.group, row.values);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` for a query or an aggregation that can mean nothing, `TooLarge` for more
    /// rows than 20,000 or more percentiles than fit into bounded memory, `Timeout` if it takes too
    /// long, `Corruption` where stored bytes are not what was written.
    pub async fn aggregate(&self, mut query: EventQuery, asked: Aggregation) -> Result<Aggregated> {
        rules::aggregation(&query, &asked)?;
        let deadline = self.0.deadline();
        let mut aggregator = Aggregator::new(asked);
        loop {
            let page =
                self.0.page(query, AGGREGATE_PAGE_EVENTS as u64, Expired::Hidden, deadline).await?;
            for event in &page.events {
                aggregator.add(event)?;
            }
            let Some(next) = page.next else { return aggregator.answer() };
            query = next;
            // Pages that are in memory are read without waiting: others have their turn here.
            tokio::task::yield_now().await;
        }
    }
}
