package main

func iconFiles() []string { return nil }

func buildIcons(b *builder, out *output) (map[string]string, error) { return nil, nil }
