// Deleting everything takes a typed word, because there is no way back.

import { make } from "../dom.js";
import { closeDialogs, openDialog } from "./dialog.js";

const WORD = "delete";

/** @param {() => Promise<void>} reset */
export function confirmReset(reset) {
	const field = make("input", { type: "text", id: "reset-word", autocomplete: "off", spellcheck: false });
	const go = make("button", { class: "danger", type: "submit", disabled: true }, "Delete everything");
	const status = make("p", { role: "status" });
	field.addEventListener("input", () => {
		go.disabled = field.value.trim().toLowerCase() !== WORD;
	});
	const form = make(
		"form",
		{
			onsubmit: async (/** @type {Event} */ event) => {
				event.preventDefault();
				go.disabled = true;
				status.replaceChildren("Deleting…");
				await reset().then(closeDialogs, (error) =>
					status.replaceChildren(`That did not work: ${error.message}`),
				);
			},
		},
		make(
			"p",
			{},
			"All users, progress, classes and settings on this device will be deleted. This cannot be undone. Download a copy first if you might need anything of it.",
		),
		make("p", {}, make("label", { htmlFor: "reset-word" }, `Type “${WORD}” to confirm:`), field),
		status,
		make("div", { class: "actions" }, go, make("button", { type: "button", "data-close": "" }, "Cancel")),
	);
	openDialog("Delete all of Kolibri's data on this device?", form).then(
		() => {},
		() => {},
	);
	field.focus();
}
