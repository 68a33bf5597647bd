package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// What a large channel is made of: in the proportions of Khan Academy's tree of 13,540 nodes, of which
// 69 in 100 are videos, 16 exercises, and 15 topics.
var (
	words    = []string{"fractions", "equations", "plants", "energy", "history", "reading", "geometry", "cells", "forces", "poetry"}
	grades   = []string{"ZrgBU73s", "eLt0Mbu4", "NTV0bgHK", "$fXMLJpl"}
	subjects = []string{"d&WXdXWF.5QAjgfv7", "d&WXdXWF.5QAjgfv7.BUMJJBnS", "d&WXdXWF.e#RTW9E#", "d&WXdXWF.i1IdaNwr.r#wbt#jF"}
	kinds    = []struct {
		name, activity, extension, preset string
		of                                int // of 20 resources
	}{
		{"video", "UD5UGM0z", "mp4", "high_res_video", 11},
		{"exercise", "VwRCom7G", "perseus", "exercise", 4},
		{"document", "wA01urpi", "pdf", "document", 3},
		{"audio", "mkA1R3NU", "mp3", "audio", 2},
	}
)

const (
	perLesson  = 9  // resources of a lesson
	perUnit    = 8  // lessons of a unit
	perSubject = 12 // units of a subject
	wide       = 500
)

// library is a channel of about so many nodes: subjects, units, lessons and resources, and beside them
// a topic that is wide. The same number makes the same channel.
func library(nodes int) *channel {
	b := &builder{rng: rand.New(rand.NewPCG(1, 2)), left: nodes - 1}
	root := b.topic("", fmt.Sprintf("A library of %d", nodes))
	flat := b.topic("wide", "Wide topic")
	for range min(wide, nodes/4) {
		flat.children = append(flat.children, b.resource("wide"))
	}
	root.children = append(root.children, flat)
	for b.left > 0 {
		root.children = append(root.children, b.branch(fmt.Sprintf("s%d", len(root.children)), perSubject, perUnit, perLesson))
	}
	c := &channel{id: id("library/" + strconv.Itoa(nodes)), root: root}
	root.key = "" // its id is the channel's
	c.collect(root)
	return c
}

// builder counts the nodes that are still to be made.
type builder struct {
	rng  *rand.Rand
	left int
	made int
}

func (b *builder) word() string { return words[b.rng.IntN(len(words))] }

func (b *builder) topic(key, title string) *node {
	b.left--
	return &node{key: "library/" + key, kind: "topic", title: title, description: "All about " + b.word() + " and " + b.word() + ".", options: "{}"}
}

// branch is a topic with so many children, each of which has as many as the next number says.
func (b *builder) branch(key string, width ...int) *node {
	t := b.topic(key, fmt.Sprintf("%s and %s %s", b.word(), b.word(), key))
	for i := range width[0] {
		if b.left <= 0 {
			break
		}
		if len(width) == 1 {
			t.children = append(t.children, b.resource(key))
		} else {
			t.children = append(t.children, b.branch(key+"."+strconv.Itoa(i), width[1:]...))
		}
	}
	return t
}

func (b *builder) resource(under string) *node {
	b.left--
	b.made++
	number := strconv.Itoa(b.made)
	kind, draw := kinds[0], b.rng.IntN(20)
	for _, k := range kinds {
		kind = k
		if draw -= k.of; draw < 0 {
			break
		}
	}
	n := &node{key: "library/" + under + "/" + number, kind: kind.name, activity: kind.activity, title: b.word() + " " + b.word() + " " + number,
		description: fmt.Sprintf("How %s and %s go together, part %s.", b.word(), b.word(), number), options: "{}",
		grade: grades[b.rng.IntN(len(grades))], subject: subjects[b.rng.IntN(len(subjects))],
		files: []file{
			{content: b.bytes(1500 + b.rng.IntN(1500)), extension: kind.extension, preset: kind.preset, order: 1},
			{content: b.bytes(300), extension: "png", preset: kind.name + "_thumbnail", order: 4, extra: true, picture: true},
		}}
	if kind.name == "exercise" {
		n.questions, n.mastery = numbered(n.key, make([]question, 5)), `{"type": "m_of_n", "m": 3, "n": 4}`
	}
	return n
}

func (b *builder) bytes(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(b.rng.Uint32())
	}
	return data
}
