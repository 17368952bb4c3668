// What every page has. Pages add modules of their own in their block `scripts`.

import "./asks.js";
import "./confirms.js";
import "./creates.js";
import "./dialogs.js";
import "./drafts.js";
import "./editor.js";
import "./forms.js";
import "./live.js";
import "./look.js";
import "./menus.js";
import "./palette.js";
import "./panel.js";
import "./shortcuts.js";
import "./toasts.js";
