package analytics

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionRanges(t *testing.T) { // this is 0.19.5
	for wanted, fits := range map[string]bool{
		"": true, "*": true, "0.19.5": true, "==0.19.5": true, "=0.19.4": false, "!=0.19.5": false, "!=0.19.4": true,
		"<0.19.5": false, "<=0.19.5": true, "<0.20.0": true, ">0.19.5": false, ">0.9.9": true, ">=0.19.5": true, ">=0.20.0": false,
		">=0.15.0,<0.19.0": false, ">=0.15.0, <0.20.0": true, ">0.19.5b1": true, "<0.19.6a1": true, "<0.19.5rc2": false,
	} {
		require.Equal(t, fits, inRange(wanted), wanted)
	}
}
