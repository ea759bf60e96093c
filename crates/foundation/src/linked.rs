//! A document type on its way from the builder to its server.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use foundation_logic::config::Evolution;
use foundation_services::config::{AnyConfig, ConfigServer, MigrationReport, Sources};
use foundation_store::clock::Clock;
use foundation_store::config::{ConfigState, Documents, Seals};
use foundation_store::journal::Journal;
use foundation_types::config::OnInvalid;
use foundation_types::{Document, Result};
use foundation_validate::BusinessRule;

/// A type that the builder was told of, before anything is opened.
pub(crate) trait Declared: Send + Sync {
    /// Makes its state and has it follow the journal.
    fn link(
        self: Box<Self>,
        documents: &mut Documents,
        seals: Arc<Seals>,
        evolutions: &mut Evolutions,
    ) -> Result<Box<dyn Linked>>;
}

/// What leads from earlier schemas to that of a type.
pub(crate) type Evolutions = HashMap<TypeId, Result<Evolution>>;

/// A state that follows the journal, waiting to be served.
pub(crate) trait Linked: Send + Sync {
    /// The server, once the journal was read.
    fn serve(
        self: Box<Self>,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        on_invalid: OnInvalid,
    ) -> Result<Served>;

    /// What would come of it.
    fn check(&self) -> Result<MigrationReport>;
}

/// A server with and without its type.
pub(crate) struct Served {
    pub(crate) type_id: TypeId,
    pub(crate) typed: Box<dyn Any + Send + Sync>,
    pub(crate) any: Arc<dyn AnyConfig>,
}

/// A type with where its values come from and the application's rules over it.
pub(crate) struct Declaration<T> {
    pub(crate) sources: Sources,
    pub(crate) rules: Vec<BusinessRule<T>>,
}

struct Link<T> {
    state: Arc<ConfigState<T>>,
    declared: Declaration<T>,
}

impl<T: Document> Declared for Declaration<T> {
    fn link(
        self: Box<Self>,
        documents: &mut Documents,
        seals: Arc<Seals>,
        evolutions: &mut Evolutions,
    ) -> Result<Box<dyn Linked>> {
        let evolution = evolutions.remove(&TypeId::of::<T>());
        let evolution = evolution.unwrap_or_else(|| Ok(Evolution::none::<T>()))?;
        let state = Arc::new(ConfigState::<T>::evolving(seals, evolution)?);
        documents.link(state.clone())?;
        Ok(Box::new(Link { state, declared: *self }))
    }
}

impl<T: Document> Linked for Link<T> {
    fn check(&self) -> Result<MigrationReport> {
        MigrationReport::of(&self.state, &self.declared.rules, &self.declared.sources)
    }

    fn serve(
        self: Box<Self>,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        on_invalid: OnInvalid,
    ) -> Result<Served> {
        let Declaration { sources, rules } = self.declared;
        let server = ConfigServer::open_or(journal, self.state, rules, clock, sources, on_invalid)?;
        Ok(Served {
            type_id: TypeId::of::<T>(),
            any: Arc::new(server.clone()),
            typed: Box::new(server),
        })
    }
}
