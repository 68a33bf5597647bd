// A pendulum that swings as its length says; the weight changes the picture only.
const byId = (id) => document.getElementById(id);
const pen = byId("stage").getContext("2d");
const saved = JSON.parse(localStorage.getItem("pendulum") ?? "{}");
byId("length").value = saved.length ?? 100;
byId("weight").value = saved.weight ?? 4;

function draw(time) {
	const metres = byId("length").value / 100;
	const weight = Number(byId("weight").value);
	const period = 2 * Math.PI * Math.sqrt(metres / 9.81);
	const angle = 0.5 * Math.cos((2 * Math.PI * time) / 1000 / period);
	const reach = 130 * metres;
	const [x, y] = [240 + reach * Math.sin(angle), 10 + reach * Math.cos(angle)];
	pen.clearRect(0, 0, 480, 300);
	pen.strokeStyle = "#444";
	pen.lineWidth = 2;
	pen.beginPath();
	pen.moveTo(240, 10);
	pen.lineTo(x, y);
	pen.stroke();
	pen.fillStyle = "#c4284a";
	pen.beginPath();
	pen.arc(x, y, 6 + weight, 0, 2 * Math.PI);
	pen.fill();
	byId("metres").textContent = `${metres.toFixed(2)} m`;
	byId("grams").textContent = `${weight * 50} g`;
	byId("period").textContent = `One swing takes ${period.toFixed(2)} seconds.`;
	requestAnimationFrame(draw);
}

addEventListener("input", () => {
	localStorage.setItem(
		"pendulum",
		JSON.stringify({ length: byId("length").value, weight: byId("weight").value }),
	);
});
requestAnimationFrame(draw);
