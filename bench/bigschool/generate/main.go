// Command generate fills a home that does not exist yet with a big school, and writes what is in it
// as JSON.
//
//	go run ./bench/bigschool/generate -home DIR [-learners 5000] [-classes 100] [-attempts 500000]
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"kolibri/bench/bigschool"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store/sqlite"
)

func main() {
	size := bigschool.Big
	home := flag.String("home", "", "the folder to make")
	password := flag.String("password", "password1", "the password of everybody")
	flag.IntVar(&size.Learners, "learners", size.Learners, "learners")
	flag.IntVar(&size.Classes, "classes", size.Classes, "classes")
	flag.IntVar(&size.Lessons, "lessons", size.Lessons, "lessons of each class")
	flag.IntVar(&size.Quizzes, "quizzes", size.Quizzes, "quizzes of each class")
	flag.IntVar(&size.Attempts, "attempts", size.Attempts, "answers of all learners together")
	flag.Parse()
	if err := generate(context.Background(), *home, *password, size); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(ctx context.Context, home, password string, size bigschool.Size) error {
	file := filepath.Join(home, "db.sqlite3")
	if _, err := os.Stat(file); err == nil || home == "" {
		return fmt.Errorf("-home must name a folder without a %s", filepath.Base(file))
	}
	hash, err := auth.HashPassword(ctx, auth.GoHasher{}, rand.Reader, password)
	if err != nil {
		return err
	}
	certificate, err := morango.NewRootCertificate(rand.Reader)
	if err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, file, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	school, err := bigschool.Make(ctx, db, rand.Reader, hash, certificate, size)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(school)
}
