// Command home writes the empty database that cmd/bundle ships: all tables of Kolibri's schema and
// its fixtures, so that a tab starts from a copy instead of running migrations.
//
//	go run ./cmd/bundle/home FILE
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"kolibri/store/sqlite"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "home:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("name the file to write")
	}
	return sqlite.CreateEmpty(context.Background(), args[0])
}
