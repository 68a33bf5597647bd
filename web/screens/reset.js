// Deleting everything takes a typed word, because there is no way back.

import { make } from "../dom.js";
import { say } from "../say.js";
import { closeDialogs, openDialog } from "./dialog.js";

/** @param {() => Promise<void>} reset */
export function confirmReset(reset) {
	const word = say("delete");
	const field = make("input", { type: "text", id: "reset-word", autocomplete: "off", spellcheck: false });
	const go = make("button", { class: "danger", type: "submit", disabled: true }, say("Delete everything"));
	const status = make("p", { role: "status" });
	field.addEventListener("input", () => {
		go.disabled = field.value.trim().toLowerCase().normalize() !== word;
	});
	const form = make(
		"form",
		{
			onsubmit: async (/** @type {Event} */ event) => {
				event.preventDefault();
				go.disabled = true;
				status.replaceChildren(say("Deleting…"));
				await reset().then(closeDialogs, (error) =>
					status.replaceChildren(say("That did not work: {message}", { message: error.message })),
				);
			},
		},
		make(
			"p",
			{},
			say(
				"All users, progress, classes and settings on this device will be deleted. This cannot be undone. Download a copy first if you might need anything of it.",
			),
		),
		make(
			"p",
			{},
			make("label", { htmlFor: "reset-word" }, say("Type “{word}” to confirm:", { word })),
			field,
		),
		status,
		make(
			"div",
			{ class: "actions" },
			go,
			make("button", { type: "button", "data-close": "" }, say("Cancel")),
		),
	);
	openDialog(say("Delete all of Kolibri's data on this device?"), form).then(
		() => {},
		() => {},
	);
	field.focus();
}
