package api

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The expected texts are what Python's json says of the same input.
func TestFaultsAreNamedAsThePythonParserDoes(t *testing.T) {
	for text, fault := range map[string]string{
		`{`:                     "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
		`[1,2`:                  "Expecting ',' delimiter: line 1 column 5 (char 4)",
		``:                      "Expecting value: line 1 column 1 (char 0)",
		`nope`:                  "Expecting value: line 1 column 1 (char 0)",
		`{"a" 1}`:               "Expecting ':' delimiter: line 1 column 6 (char 5)",
		"{\n \"a\": 1\n \"b\"}": "Expecting ',' delimiter: line 3 column 2 (char 11)",
		`{"a": 1,}`:             "Expecting property name enclosed in double quotes: line 1 column 9 (char 8)",
		`["é", x]`:              "Expecting value: line 1 column 7 (char 6)",
		`"abc`:                  "Unterminated string starting at: line 1 column 1 (char 0)",
		"\"a\tb\"":              "Invalid control character at: line 1 column 3 (char 2)",
		`"\q"`:                  `Invalid \escape: line 1 column 2 (char 1)`,
		`{} x`:                  "Extra data: line 1 column 4 (char 3)",
		`01`:                    "Extra data: line 1 column 2 (char 1)",
		`-`:                     "Expecting value: line 1 column 1 (char 0)",
		`[`:                     "Expecting value: line 1 column 2 (char 1)",
		`{"a":[1,{"b":2.5e3}]}`: "",
	} {
		require.Equal(t, fault, jsonFault([]byte(text)), text)
	}
}

func TestDeepNestingIsAFaultNotACrash(t *testing.T) {
	require.Contains(t, jsonFault([]byte(strings.Repeat("[", 5_000_000))), "Too deep")
}

func TestDeepNestingIsRefused(t *testing.T) {
	_, err := decodeJSON([]byte(strings.Repeat("[", 1000) + strings.Repeat("]", 1000)))
	require.ErrorContains(t, err, "nest too deeply")
}
