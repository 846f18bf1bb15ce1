//! Configuration of a runtime process in Cap'n Proto, with the modules beside it.

use crate::worker::{Binding, BindingTarget, Module, Worker, quoted};
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Not newer than the installed runtime.
const COMPATIBILITY_DATE: &str = "2026-11-01";

/// Writes the configuration of these Workers into a folder, and returns its path. Durable Objects
/// store their data in `objects/` there.
pub(crate) fn write(folder: &Path, workers: &[Worker]) -> PathBuf {
    let mut outside = Outside::default();
    let services: Vec<String> = workers.iter().map(|worker| service(folder, worker, &mut outside)).collect();
    let sockets: Vec<String> = workers
        .iter()
        .map(|worker| {
            let (name, address) = (quoted(&worker.name), quoted(&format!("127.0.0.1:{}", worker.port)));
            format!("(name = {name}, address = {address}, http = (), service = {name})")
        })
        .collect();
    fs::create_dir_all(folder.join("objects")).unwrap();
    let disk = quoted(&folder.join("objects").to_string_lossy());
    let config = format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\
         const config :Workerd.Config = (\n  services = [\n    {},\n    {}\n    \
         (name = \"objects-disk\", disk = (path = {disk}, writable = true)),\n    \
         (name = \"internet\", network = (allow = [\"public\", \"private\"])),\n  ],\n  sockets = [\n    {}\n  ],\n);\n",
        services.join(",\n    "),
        outside.services(),
        sockets.join(",\n    "),
    );
    let file = folder.join("config.capnp");
    fs::write(&file, config).unwrap();
    file
}

/// External servers that bindings name, each with the name of its service.
#[derive(Default)]
struct Outside(BTreeMap<SocketAddr, String>);

impl Outside {
    fn name(&mut self, place: &BindingTarget) -> String {
        match place {
            BindingTarget::Here(name) => name.clone(),
            BindingTarget::At(address) => self.0.entry(*address).or_insert_with(|| format!("at-{address}")).clone(),
        }
    }

    fn services(&self) -> String {
        let service = |(address, name): (&SocketAddr, &String)| {
            format!("(name = {}, external = (address = {}, http = ())),", quoted(name), quoted(&address.to_string()))
        };
        self.0.iter().map(service).collect::<Vec<_>>().join("\n    ")
    }
}

fn service(folder: &Path, worker: &Worker, outside: &mut Outside) -> String {
    let place = folder.join(&worker.name);
    fs::create_dir_all(&place).unwrap();
    let modules: Vec<String> = worker
        .modules
        .iter()
        .map(|(name, module)| {
            let file = place.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            let kind = match module {
                Module::Script(text) => fs::write(&file, text).map(|()| "esModule"),
                Module::ScriptFile(from) => fs::copy(from, &file).map(|_| "esModule"),
                Module::Wasm(from) => fs::copy(from, &file).map(|_| "wasm"),
            };
            let kind = kind.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let embedded = quoted(&format!("{}/{name}", worker.name));
            format!("(name = {}, {kind} = embed {embedded})", quoted(name))
        })
        .collect();
    let bindings: Vec<String> = worker
        .bindings
        .iter()
        .map(|(name, binding)| {
            let value = match binding {
                Binding::Text(text) => format!("text = {}", quoted(text)),
                Binding::Service(place) => format!("service = {}", quoted(&outside.name(place))),
                Binding::Kv(place) => format!("kvNamespace = {}", quoted(&outside.name(place))),
                Binding::Objects(class) => format!("durableObjectNamespace = {}", quoted(class)),
            };
            format!("(name = {}, {value})", quoted(name))
        })
        .collect();
    let objects: Vec<String> = worker
        .objects
        .iter()
        .map(|class| {
            let key = quoted(&format!("{}-{class}", worker.name));
            format!("(className = {}, uniqueKey = {key}, enableSql = true)", quoted(class))
        })
        .collect();
    let storage =
        if objects.is_empty() { "" } else { "durableObjectStorage = (localDisk = \"objects-disk\"),\n      " };
    format!(
        "(name = {}, worker = (\n      compatibilityDate = \"{COMPATIBILITY_DATE}\",\n      modules = [{}],\n      \
         bindings = [{}],\n      durableObjectNamespaces = [{}],\n      {storage}globalOutbound = \"internet\"))",
        quoted(&worker.name),
        modules.join(", "),
        bindings.join(", "),
        objects.join(", "),
    )
}
