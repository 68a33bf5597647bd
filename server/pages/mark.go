package pages

// Shape is one piece of the mark: an SVG path of absolute M, L, Q and Z commands on a field of
// 100 by 100, and its colour.
type Shape struct {
	Path, Fill string
	Wing       bool // beats while a page loads
}

// Mark is this project's own sign, a hummingbird in the air. The icons are made from it too.
var Mark = []Shape{
	{Path: "M52 55 Q30 46 6 20 Q4 50 40 66 Z", Fill: "#ffd43b", Wing: true},
	{Path: "M56 52 Q44 30 30 4 Q22 36 42 62 Z", Fill: "#ff922b", Wing: true},
	{Path: "M97 25 L75 31 Q69 22 59 26 Q50 30 50 42 Q44 56 34 66 Q26 76 16 94 Q26 88 35 85 Q37 90 35 97 Q44 84 56 74 Q74 58 75 37 Z", Fill: "#0ca678"},
	{Path: "M50 42 Q50 52 58 58 Q68 52 75 37 L75 35 Q66 42 50 42 Z", Fill: "#e64980"},
	{Path: "M63 33 Q63 30.5 65.5 30.5 Q68 30.5 68 33 Q68 35.5 65.5 35.5 Q63 35.5 63 33 Z", Fill: "#ffffff"},
}
