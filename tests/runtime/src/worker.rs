//! A Worker in the configuration of the runtime: its modules and its bindings.

use std::{fmt::Write, net::SocketAddr, path::PathBuf};

/// One Worker of a process.
#[derive(Clone, Debug)]
pub struct Worker {
    pub(crate) name: String,
    pub(crate) modules: Vec<(String, Module)>,
    pub(crate) bindings: Vec<(String, Binding)>,
    pub(crate) objects: Vec<String>,
    pub(crate) port: u16,
}

/// Source of a module. The first module of a Worker is its entry.
#[derive(Clone, Debug)]
pub enum Module {
    /// A script, given as text.
    Script(String),
    /// A script in a file.
    ScriptFile(PathBuf),
    /// WASM in a file.
    Wasm(PathBuf),
}

/// Target of a binding.
#[derive(Clone, Debug)]
pub enum BindingTarget {
    /// A Worker of the same process, by its name.
    Here(String),
    /// A server, reached over HTTP.
    At(SocketAddr),
}

#[derive(Clone, Debug)]
pub(crate) enum Binding {
    Text(String),
    Service(BindingTarget),
    Kv(BindingTarget),
    Objects(String),
}

impl Worker {
    /// Creates a Worker without modules.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), modules: Vec::new(), bindings: Vec::new(), objects: Vec::new(), port: 0 }
    }

    /// Loads the build of `worker/<name>`.
    pub fn built(name: &str) -> Self {
        let folder = crate::built().join(name);
        let script = folder.join("index.js");
        assert!(script.exists(), "{} is missing; first run cargo xtask test build", script.display());
        let wasm = Module::Wasm(folder.join("index_bg.wasm"));
        Self::new(name).module("index.js", Module::ScriptFile(script)).module("index_bg.wasm", wasm)
    }

    /// Appends a module.
    #[must_use]
    pub fn module(mut self, name: &str, module: Module) -> Self {
        self.modules.push((name.to_owned(), module));
        self
    }

    /// Prepends a script as the new entry, which may import the other modules.
    #[must_use]
    pub fn entry(mut self, name: &str, script: &str) -> Self {
        self.modules.insert(0, (name.to_owned(), Module::Script(script.to_owned())));
        self
    }

    /// Prepends an entry of this name that wraps each Durable Object class. The wrapper is a
    /// function of another script.
    #[must_use]
    pub fn wrap_objects(self, name: &str, function: &str, script: &str) -> Self {
        let object = |class: &String| format!("export const {class} = {function}(built.{class});\n");
        let objects = self.objects.iter().map(object).collect::<Vec<_>>().concat();
        let entry = format!(
            "import {{ {function} }} from \"./{script}\";\nimport * as built from \"./{}\";\n\
             export * from \"./{0}\";\nexport {{ default }} from \"./{0}\";\n{objects}",
            self.modules[0].0,
        );
        self.entry(name, &entry)
    }

    /// Appends a script.
    #[must_use]
    pub fn script(self, name: &str, script: &str) -> Self {
        self.module(name, Module::Script(script.to_owned()))
    }

    /// Binds a text, in the place of an earlier binding of this name.
    #[must_use]
    pub fn text(self, name: &str, value: &str) -> Self {
        self.bind(name, Binding::Text(value.to_owned()))
    }

    /// Binds another service.
    #[must_use]
    pub fn service(self, name: &str, place: BindingTarget) -> Self {
        self.bind(name, Binding::Service(place))
    }

    /// Binds a KV namespace. Its target speaks the runtime's KV protocol.
    #[must_use]
    pub fn kv(self, name: &str, place: BindingTarget) -> Self {
        self.bind(name, Binding::Kv(place))
    }

    /// Binds a namespace of Durable Objects of one of its own classes, on SQLite.
    #[must_use]
    pub fn objects(mut self, name: &str, class: &str) -> Self {
        self.objects.push(class.to_owned());
        self.bind(name, Binding::Objects(class.to_owned()))
    }

    /// Listens on this port instead of any free one.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    fn bind(mut self, name: &str, binding: Binding) -> Self {
        self.bindings.retain(|(other, _)| other != name);
        self.bindings.push((name.to_owned(), binding));
        self
    }
}

/// Quotes a text for Cap'n Proto.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if (control as u32) < 0x20 => write!(out, "\\x{:02x}", control as u32).unwrap(),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_where_it_should() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\x0a\"");
    }

    #[test]
    fn a_second_binding_of_a_name_replaces_the_first() {
        let worker = Worker::new("w").text("A", "1").text("B", "2").text("A", "3");
        let bound: Vec<_> = worker.bindings.iter().map(|(name, binding)| format!("{name} {binding:?}")).collect();
        assert_eq!(bound, ["B Text(\"2\")", "A Text(\"3\")"]);
    }
}
