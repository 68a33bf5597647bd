// The question before anything is shared: a link must not be enough.

import { make } from "../dom.js";
import { say, sayWith } from "../say.js";
import { openDialog } from "../screens/dialog.js";

/**
 * @param {string} relay its address
 * @returns {Promise<boolean>}
 */
export async function askConsent(relay) {
	let agreed = false;
	const agree = () => {
		agreed = true;
	};
	await openDialog(
		say("Share this Kolibri?"),
		make(
			"p",
			{},
			...sayWith(
				"The link you followed wants to share the Kolibri of this browser through the relay {relay}.",
				{
					relay: make("strong", {}, relay),
				},
			),
		),
		make(
			"p",
			{},
			say(
				"Everybody who can open that address can then sign in to this Kolibri and use it, until you stop it or close this tab. The relay sees everything that is sent, passwords included. Agree only if you or your school run it.",
			),
		),
		make(
			"div",
			{ class: "actions" },
			make("button", { "data-close": "" }, say("Do not share")),
			make("button", { class: "main", "data-close": "", onclick: agree }, say("Share")),
		),
	);
	return agreed;
}
