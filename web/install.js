// Browsers that can install the app say so by an event, which has to be kept until somebody asks.

/** @type {any} */
let offer = null;

addEventListener("beforeinstallprompt", (event) => {
	event.preventDefault();
	offer = event;
});
addEventListener("appinstalled", () => {
	offer = null;
});

export const installable = () => offer !== null;

export async function install() {
	await offer?.prompt();
	offer = null;
}
