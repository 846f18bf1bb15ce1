// Stands at the end of every document: loads the WASM if the page has islands, and hydrates them.
//
// All islands come to life or none does. Password managers, translators and other extensions change
// the document while the WASM is on its way, and hydration goes wrong on nodes that the server did
// not send. An island that was changed is therefore put back as it was served, with the values
// typed so far; and if hydration fails all the same, every island is put back, and works as without
// WASM.

const root = document.currentScript.dataset.assets;
const islands = [...document.querySelectorAll('leptos-island')].filter((island) => !island.parentElement.closest('leptos-island'));
const served = islands.map((island) => island.cloneNode(true));

/** The controls in which something can be typed or chosen, by name and, for choices, value. */
const controls = (island) => {
  const found = new Map();
  for (const control of island.querySelectorAll('input:not([type=hidden]), textarea, select')) {
    const choice = control.type === 'checkbox' || control.type === 'radio';
    const key = JSON.stringify([control.name, choice && control.value]);
    if (control.name && !found.has(key)) found.set(key, control);
  }
  return found;
};

/** Puts an island back as it was served, with the values, the focus and the selection of now. */
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
      // Nothing else runs from here to the end of the loop: no extension, no click.
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
