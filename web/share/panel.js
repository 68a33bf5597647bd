// The dialogue say("Share this Kolibri"): how to begin, and while it goes on, the address, who is there, how
// much flows, and the button that ends it.

import { make } from "../dom.js";
import { say, sayWith } from "../say.js";
import { openDialog } from "../screens/dialog.js";
import { picture } from "./picture.js";
import { relayAddress } from "./share.js";

/** @typedef {import("./share.js").Share} Share */

/** @param {Share} share */
export async function openSharing(share) {
	const place = make("div", { class: "sharing" });
	/** @type {string | null} */
	let shown = null;
	const show = () => {
		const state = share.state?.state ?? "none";
		const now = state === "sharing" ? `sharing ${share.pairing?.relay}` : state;
		if (shown !== now || state === "ended") place.replaceChildren(...content(share));
		shown = now;
	};
	const count = () => place.querySelector(".visitors")?.replaceWith(visitors(share));
	share.addEventListener("change", show);
	share.addEventListener("traffic", count);
	show();
	const close = make("div", { class: "actions" }, make("button", { "data-close": "" }, say("Close")));
	await openDialog(say("Share this Kolibri"), place, close);
	share.removeEventListener("change", show);
	share.removeEventListener("traffic", count);
}

/** @param {Share} share @returns {Node[]} */
function content(share) {
	const { state } = share;
	const stop = () => make("button", { class: "danger", onclick: () => share.stop() }, say("Stop sharing"));
	if (!state || state.state === "ended") return [form(share, state?.state === "ended" ? state.message : "")];
	if (state.state === "connecting")
		return [make("p", { role: "status" }, say("Connecting to the relay…")), stop()];
	if (state.state === "waiting") {
		const text = say("The connection to the relay is interrupted ({message}). It is tried again and again.", {
			message: state.message,
		});
		return [make("p", { role: "status" }, text), stop()];
	}
	const { addresses, picture: rows } = state.admission;
	const links = addresses.map((address) => make("li", {}, make("code", {}, address)));
	return [
		make(
			"p",
			{ role: "status" },
			say("Others can use this Kolibri now. They open this address in their browser:"),
		),
		make("ul", { class: "addresses" }, ...links),
		...(rows?.length ? [picture(rows, say("QR code of {address}", { address: addresses[0] }))] : []),
		make("p", {}, ...pairing(share)),
		visitors(share),
		make("p", {}, say("Keep this tab open: it is the server now.")),
		stop(),
	];
}

/** @param {Share} share */
function pairing({ pairing }) {
	const relay = make("code", {}, pairing?.relay ?? "");
	if (!pairing?.code) return sayWith("Relay: {relay}", { relay });
	return sayWith("Relay: {relay}, pairing code {code}", { relay, code: make("code", {}, pairing.code) });
}

/** @param {Share} share @param {string} failure */
function form(share, failure) {
	const status = make("p", { role: "status" }, failure && say("It did not work: {failure}.", { failure }));
	const relay = make("input", { type: "text", id: "share-relay", inputMode: "url", required: true });
	const code = make("input", { type: "text", id: "share-code", autocomplete: "off", required: true });
	relay.value = share.pairing?.relay ?? "";
	const begin = (/** @type {Event} */ event) => {
		event.preventDefault();
		const address = relayAddress(relay.value.trim());
		if (!address) status.replaceChildren(say("This is not the address of a relay."));
		else share.start({ relay: address, code: code.value.trim() });
	};
	return make(
		"form",
		{ onsubmit: begin },
		make(
			"p",
			{},
			...sayWith(
				"Others in your school can use the Kolibri of this browser, through a small program that runs on a computer they can reach: {program}. It shows its address and a pairing code.",
				{ program: make("code", { class: "command" }, "kolibri relay") },
			),
		),
		make("p", {}, make("label", { htmlFor: "share-relay" }, say("Address of the relay")), relay),
		make("p", {}, make("label", { htmlFor: "share-code" }, say("Pairing code")), code),
		make("p", {}, say("The relay sees everything that is sent, passwords included.")),
		make("button", { class: "main", type: "submit" }, say("Share")),
		status,
	);
}

/** @param {number} bytes */
const size = (bytes) =>
	bytes < 1e6
		? `${Math.ceil(bytes / 1000)} kB`
		: bytes < 1e9
			? `${(bytes / 1e6).toFixed(1)} MB`
			: `${(bytes / 1e9).toFixed(2)} GB`;

/** @param {Share} share */
function visitors({ traffic }) {
	const people = traffic?.visitors ?? [];
	const { requests = 0, bytesIn = 0, bytesOut = 0 } = traffic ?? {};
	const heading = people.length
		? say("Connected: {count}", { count: people.length })
		: say("Nobody is connected yet.");
	const rows = people
		.slice(0, 20)
		.map(({ address, device, requests, bytes }) =>
			make("tr", {}, ...[address, device, String(requests), size(bytes)].map((text) => make("td", {}, text))),
		);
	const head = make(
		"tr",
		{},
		...[say("Address"), say("Device"), say("Requests"), say("Data")].map((text) =>
			make("th", { scope: "col" }, text),
		),
	);
	return make(
		"div",
		{ class: "visitors" },
		make("p", {}, heading),
		...(rows.length ? [make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))] : []),
		make(
			"p",
			{},
			say("{requests} requests, {received} received, {sent} sent.", {
				requests,
				received: size(bytesIn),
				sent: size(bytesOut),
			}),
		),
	);
}
