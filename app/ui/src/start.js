// Inline script at the end of every document. Loads the WASM module if the page has islands, and
// hydrates them.
//
// Either all islands hydrate or none does. Password managers, translators and other extensions
// change the document while the WASM module loads. Hydration fails on nodes that the server did not
// send. The script therefore restores each changed island to its served HTML, and keeps the values
// typed so far. If hydration still fails, it restores every island, which then works as without
// WASM.

const root = document.currentScript.dataset.assets;
const outermost = () =>
  [...document.querySelectorAll('leptos-island')].filter((island) => !island.parentElement.closest('leptos-island'));
const islands = outermost();
const served = islands.map((island) => island.cloneNode(true));

/** Returns the editable controls of an island, keyed by name and, for choices, value. */
const controls = (island) => {
  const found = new Map();
  for (const control of island.querySelectorAll('input:not([type=hidden]), textarea, select')) {
    const choice = control.type === 'checkbox' || control.type === 'radio';
    const key = JSON.stringify([control.name, choice && control.value]);
    if (control.name && !found.has(key)) found.set(key, control);
  }
  return found;
};

/** Restores an island to its served HTML. Keeps its current values, focus and selection. */
const restore = (at) => {
  const [now, back] = [islands[at], served[at].cloneNode(true)];
  const [from, to] = [controls(now), controls(back)];
  const focused = document.activeElement;
  const selection = [focused.selectionStart, focused.selectionEnd, focused.selectionDirection];
  now.replaceWith(back);
  islands[at] = back;
  for (const [key, control] of to) {
    const old = from.get(key);
    if (!old) continue;
    if (control.value !== old.value) control.value = old.value;
    control.checked = old.checked;
    if (old !== focused) continue;
    control.focus({ preventScroll: true });
    if (typeof selection[0] === 'number') control.setSelectionRange(...selection);
  }
};

const hydrate = async () => {
  if (islands.length > 0) {
    const module = await import(root + '/ownchat.js');
    await module.default({ module_or_path: root + '/ownchat_bg.wasm' });
    try {
      module.hydrate();
      // An extension may have replaced the nodes by copies of them.
      const present = outermost();
      const isSame = (island, at) => island.dataset.component === islands[at]?.dataset.component;
      if (present.length !== islands.length || !present.every(isSame)) throw new Error('islands were added or removed');
      islands.splice(0, islands.length, ...present);
      // The loop is synchronous: no extension and no click can run before it ends.
      for (const at of islands.keys()) {
        if (!islands[at].isEqualNode(served[at])) restore(at);
        module[islands[at].dataset.component](islands[at]);
      }
    } catch (error) {
      for (const at of islands.keys()) restore(at);
      throw error;
    }
  }
  document.documentElement.dataset.ready = '';
};
hydrate().catch((error) => console.error('Enhancements failed to load; the page still works:', error));
