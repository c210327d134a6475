"""What core ipywidgets cannot do on the page: arrow keys between the cells of a matrix.

A page runs no script that arrives in a widget; but the ``onload`` of an element that arrives is
called (measured in JupyterLab 4.6). It finds the widget around it and listens there. Without it
the cells are reached by Tab.
"""

__all__ = ["ARROWS", "NAMES", "on_arrival"]


def on_arrival(script: str) -> str:
    """Return HTML that runs a script where it arrives; ``this`` is an element there.

    Parameters
    ----------
    script : str
        JavaScript with single quotes only, and no comment to the end of a line.
    """
    return f'<style onload="{" ".join(script.split())}"></style>'


# In a number field up and down always move, left and right where the text ends. JupyterLab would
# take the arrows of a table cell for its own: lm-suppress-shortcuts keeps them here. A field of
# ipywidgets lets no key out, so the widget listens on the way in (capture).
SCRIPT = """
const home = this.closest('.alab-arrows');
if (home && !home.dataset.arrows) {
  home.dataset.arrows = 'on';
  home.setAttribute('data-lm-suppress-shortcuts', 'true');
  const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
  home.addEventListener('keydown', (event) => {
    const at = event.target, move = step[event.key];
    const isField = at.matches('.alab-cells input[type=text]');
    if (!move || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const others = 'td[tabindex], .alab-cells input[type=checkbox], .alab-cells button';
    if (!isField && !at.matches(others)) return;
    if (isField && move[0]) {
      const all = at.selectionStart === 0 && at.selectionEnd === at.value.length;
      const edge = move[0] < 0 ? 0 : at.value.length;
      if (!all && (at.selectionStart !== edge || at.selectionEnd !== edge)) return;
    }
    const among = at.closest(at.matches('td') ? 'table' : '.alab-cells');
    const all = [...among.querySelectorAll(at.matches('td') ? 'td[tabindex]' : 'input, button')];
    const here = at.getBoundingClientRect();
    const x = (r) => r.left + r.width / 2, y = (r) => r.top + r.height / 2;
    let best = null, least = Infinity;
    for (const each of all) {
      const there = each.getBoundingClientRect();
      const dx = x(there) - x(here), dy = y(there) - y(here);
      const along = dx * move[0] + dy * move[1], off = Math.abs(move[0] ? dy : dx);
      if (along > 1 && off < 5 && along < least) { best = each; least = along; }
    }
    if (best) { best.focus(); if (best.select) best.select(); }
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
"""
ARROWS = on_arrival(SCRIPT)

# The buttons of core `Play` have pictures and no names: a screen reader would say "button".
SAY = """
const name = () => document.querySelectorAll('.widget-play button:not([aria-label])').forEach(
  (each, k) => each.setAttribute('aria-label', ['play or pause', 'stop', 'repeat'][k % 3]));
name(); setTimeout(name, 500); setTimeout(name, 2000);
"""
NAMES = on_arrival(SAY)
