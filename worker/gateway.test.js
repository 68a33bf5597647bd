import assert from "node:assert/strict";
import { test } from "node:test";
import { through } from "./gateway.js";

test("only the hosts that the relay names go through its gateway", () => {
	const root = new URL("https://app.example/kolibri/");
	const gateway = {
		relay: "https://relay.example",
		session: "a.b",
		hosts: ["studio.example", "192.0.2.1:8080"],
	};
	const to = (/** @type {string} */ url) => through(gateway, new URL(url), root)?.url ?? null;
	assert.equal(
		to("https://studio.example/a%20b?c=d"),
		"https://relay.example/_relay/gateway/https/studio.example/a%20b?c=d",
	);
	assert.equal(to("http://192.0.2.1:8080/"), "https://relay.example/_relay/gateway/http/192.0.2.1:8080/");
	for (const other of [
		"https://other.example/",
		"https://studio.example:444/",
		"https://app.example/x",
		"https://relay.example/",
	]) {
		assert.equal(to(other), null, other);
	}
});
