//! Tables on their way from the builder to their handles.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

use foundation_services::table::{AnyTable, Table};
use foundation_store::journal::Journal;
use foundation_store::table::{TableState, Tables};
use foundation_types::{Keep, Result, TableKey, TableValue};

/// The tables that the builder was told of, before anything is opened.
#[derive(Default)]
pub(crate) struct DeclaredTables(Vec<Box<dyn Declared>>);

/// Tables that follow the journal, waiting to be served.
pub(crate) struct LinkedTables {
    pub(crate) all: Arc<Tables>,
    linked: Vec<Box<dyn Linked>>,
}

/// The handles of tables, by name, with and without their types.
#[derive(Default)]
pub(crate) struct ServedTables {
    pub(crate) typed: HashMap<String, Box<dyn Any + Send + Sync>>,
    pub(crate) any: BTreeMap<String, Arc<dyn AnyTable>>,
}

impl DeclaredTables {
    pub(crate) fn add<K: TableKey, V: TableValue>(&mut self, name: String, keep: Keep) {
        self.0.push(Box::new(Declaration::<K, V> { name, keep, types: PhantomData }));
    }

    /// Makes their states and has them follow the journal, beside those that are there.
    pub(crate) fn link(self, mut all: Tables) -> Result<LinkedTables> {
        let linked = self.0.into_iter().map(|one| one.link(&mut all)).collect::<Result<_>>()?;
        Ok(LinkedTables { all: Arc::new(all), linked })
    }
}

impl LinkedTables {
    /// The handles, once the journal was read.
    pub(crate) fn serve(self, journal: &Arc<dyn Journal>) -> Result<ServedTables> {
        let mut served = ServedTables::default();
        for one in self.linked {
            one.serve(journal.clone(), &mut served)?;
        }
        Ok(served)
    }
}

trait Declared: Send + Sync {
    fn link(self: Box<Self>, tables: &mut Tables) -> Result<Box<dyn Linked>>;
}

trait Linked: Send + Sync {
    fn serve(self: Box<Self>, journal: Arc<dyn Journal>, served: &mut ServedTables) -> Result<()>;
}

struct Declaration<K, V> {
    name: String,
    keep: Keep,
    types: PhantomData<fn(K) -> V>,
}

struct Link<K, V>(Arc<TableState<K, V>>);

impl<K: TableKey, V: TableValue> Declared for Declaration<K, V> {
    fn link(self: Box<Self>, tables: &mut Tables) -> Result<Box<dyn Linked>> {
        let state = Arc::new(TableState::<K, V>::new(&self.name, self.keep)?);
        tables.link(state.clone())?;
        Ok(Box::new(Link(state)))
    }
}

impl<K: TableKey, V: TableValue> Linked for Link<K, V> {
    fn serve(self: Box<Self>, journal: Arc<dyn Journal>, served: &mut ServedTables) -> Result<()> {
        let table = Table::open(journal, self.0)?;
        let name = table.name().to_owned();
        served.any.insert(name.clone(), Arc::new(table.clone()));
        served.typed.insert(name, Box::new(table));
        Ok(())
    }
}
