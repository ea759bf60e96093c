//! Projections on their way from the builder to their handles.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use foundation_services::node::Node;
use foundation_services::projection::{
    KeyedHandle, KeyedProjection, Projection, ProjectionHandle, Projections,
};
use foundation_types::Result;

/// The handles of projections, by their type.
pub(crate) type ServedProjections = HashMap<TypeId, Box<dyn Any + Send + Sync>>;

/// The projections that the builder was told of.
#[derive(Default)]
pub(crate) struct DeclaredProjections(Vec<(Add, Start)>);

type Add = fn(&Projections, &mut ServedProjections) -> Result<()>;
type Start = fn(&Node, &ServedProjections);

impl DeclaredProjections {
    pub(crate) fn add<P: Projection>(&mut self) {
        self.0.push((add::<P>, start::<P>));
    }

    pub(crate) fn add_keyed<P: KeyedProjection>(&mut self) {
        self.0.push((add_keyed::<P>, start_keyed::<P>));
    }

    /// Makes their handles, at the places that they were kept at.
    pub(crate) fn open(&self, projections: &Projections) -> Result<ServedProjections> {
        let mut served = ServedProjections::new();
        for (add, _) in &self.0 {
            add(projections, &mut served)?;
        }
        Ok(served)
    }

    /// Starts folding.
    pub(crate) fn start(&self, node: &Node, served: &ServedProjections) {
        self.0.iter().for_each(|(_, start)| start(node, served));
    }
}

fn add<P: Projection>(projections: &Projections, served: &mut ServedProjections) -> Result<()> {
    served.insert(TypeId::of::<P>(), Box::new(projections.add::<P>()?));
    Ok(())
}

fn start<P: Projection>(node: &Node, served: &ServedProjections) {
    let handle = served.get(&TypeId::of::<P>());
    if let Some(handle) = handle.and_then(|handle| handle.downcast_ref::<ProjectionHandle<P>>()) {
        node.projections.start(handle, &node.events, &node.tasks);
    }
}

fn add_keyed<P: KeyedProjection>(
    projections: &Projections,
    served: &mut ServedProjections,
) -> Result<()> {
    // A type may be a projection of both kinds.
    served.insert(TypeId::of::<KeyedHandle<P>>(), Box::new(projections.add_keyed::<P>()?));
    Ok(())
}

fn start_keyed<P: KeyedProjection>(node: &Node, served: &ServedProjections) {
    let handle = served.get(&TypeId::of::<KeyedHandle<P>>());
    if let Some(handle) = handle.and_then(|handle| handle.downcast_ref::<KeyedHandle<P>>()) {
        node.projections.start_keyed(handle, &node.events, &node.tasks);
    }
}
