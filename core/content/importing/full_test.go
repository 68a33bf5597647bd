package importing

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/tasks"
	"kolibri/store"
)

// TestAFullDiskIsNamed: wherever an import meets it, the job says the same.
func TestAFullDiskIsNamed(t *testing.T) {
	met := fmt.Errorf("write a file: %w", store.ErrFull)
	for name, err := range map[string]error{"in a transfer": explain(met), "in the metadata": shape(met), "while rows are copied": shape(unusable("copy", met))} {
		var failure *tasks.Failure
		require.ErrorAs(t, err, &failure, name)
		require.Equal(t, "InsufficientStorageSpaceError", failure.Exception, name)
		require.ErrorIs(t, err, store.ErrFull, name)
		require.ErrorContains(t, err, "free some space", name)
	}
}
