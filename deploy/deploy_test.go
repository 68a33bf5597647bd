// Package deploy has the files that put Kolibri into a cloud; its tests check them as far as that can
// be done without one.
package deploy

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// options are the names that the server knows: what the files set must be among them.
func options(t *testing.T) map[string]bool {
	text, err := os.ReadFile("../cmd/kolibri/options.go")
	require.NoError(t, err)
	known := map[string]bool{"KOLIBRI_HOME": true, "KOLIBRI_BUILD_DIR": true}
	for _, m := range regexp.MustCompile(`name: "([A-Z_]+)"`).FindAllStringSubmatch(string(text), -1) {
		known["KOLIBRI_"+m[1]] = true
	}
	require.Greater(t, len(known), 50)
	return known
}

func requireKnown(t *testing.T, text string) {
	t.Helper()
	known := options(t)
	for _, name := range regexp.MustCompile(`\bKOLIBRI_[A-Z_]+\b`).FindAllString(text, -1) {
		if name != "KOLIBRI_DOMAIN" && name != "KOLIBRI_IMAGE" { // compose's own
			require.True(t, known[name], "%s is no option", name)
		}
	}
}

// instructions are a Dockerfile's, each in one line.
func instructions(t *testing.T) [][2]string {
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	requireKnown(t, string(text))
	joined := regexp.MustCompile(`\\\n\s*`).ReplaceAllString(string(text), "")
	var all [][2]string
	for _, line := range strings.Split(joined, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			word, rest, _ := strings.Cut(line, " ")
			require.Contains(t, []string{"FROM", "RUN", "COPY", "USER", "ENV", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}, word)
			all = append(all, [2]string{word, rest})
		}
	}
	return all
}

func TestDockerfile(t *testing.T) {
	last := map[string]string{}
	var copies []string
	for _, i := range instructions(t) {
		last[i[0]] = i[1]
		if i[0] == "COPY" && !strings.HasPrefix(i[1], "--from") {
			copies = append(copies, strings.Fields(i[1])[0])
		}
	}
	require.Equal(t, "scratch", last["FROM"], "nothing but the server is in it")
	require.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, last["USER"], "a number, so that it is seen not to be root's")
	require.Equal(t, "/data/content", last["VOLUME"])
	require.Equal(t, `["/kolibri"]`, last["ENTRYPOINT"])
	require.Contains(t, last["HEALTHCHECK"], `CMD ["/kolibri", "ready"]`)
	for _, want := range []string{"KOLIBRI_CONTENT_DIR=/data/content", "KOLIBRI_DATABASE_SSL_MODE=verify-full", "KOLIBRI_BUILD_DIR=/build"} {
		require.Contains(t, last["ENV"], want)
	}
	require.NotContains(t, strings.ToUpper(last["ENV"]), "PASSWORD")
	ignored, err := os.ReadFile("Dockerfile.dockerignore")
	require.NoError(t, err)
	for _, c := range copies {
		require.Contains(t, string(ignored), "!"+strings.TrimSuffix(c, "/")+"\n", "what is copied must get into the build's context")
	}
}

// TestProviderFiles checks the image and the compose file of the provider service.
func TestProviderFiles(t *testing.T) {
	image, err := os.ReadFile("provider.Dockerfile")
	require.NoError(t, err)
	ignored, err := os.ReadFile("provider.Dockerfile.dockerignore")
	require.NoError(t, err)
	require.Equal(t, "*\n!bin/kolibri\n", string(ignored))
	for _, want := range []string{"FROM scratch\n", "USER 10001:10001\n", "VOLUME /data\n", `CMD ["/kolibri", "provider", "ready"]`, "STOPSIGNAL SIGTERM\n"} {
		require.Contains(t, string(image), want)
	}
	compose, err := os.ReadFile("provider-compose.yaml")
	require.NoError(t, err)
	for _, want := range []string{"read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", `"127.0.0.1:8095:8095"`, "${KOLIBRI_PROVIDER_KEY:?", "${KOLIBRI_PROVIDER_TOKEN:?"} {
		require.Contains(t, string(compose), want)
	}
	if exec.Command("docker", "compose", "version").Run() == nil {
		c := exec.Command("docker", "compose", "-f", "provider-compose.yaml", "config", "--quiet")
		c.Env = append(os.Environ(), "KOLIBRI_PROVIDER_TOKEN=x", "KOLIBRI_PROVIDER_KEY=x", "PROVIDER_CALLBACK=x")
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// TestCompose reads the file as YAML by the rules that its plain form needs, and asks compose itself
// where it is installed.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	requireKnown(t, string(text))
	require.NotContains(t, string(text), "\t")
	service := func(name string) string {
		m := regexp.MustCompile(`(?m)^  ` + name + `:\n((?:    .*\n|\n)+)`).FindStringSubmatch(string(text))
		require.NotNil(t, m, name)
		return m[1]
	}
	kolibri, database := service("kolibri"), service("database")
	for _, want := range []string{"KOLIBRI_DATABASE_SSL_MODE: verify-full", "read_only: true", "cap_drop: [ALL]", "no-new-privileges:true",
		"content:/data/content", "replicas: 2", "condition: service_healthy"} {
		require.Contains(t, kolibri, want)
	}
	require.NotContains(t, kolibri, "ports:", "only the front is reached from outside")
	require.NotContains(t, database, "ports:")
	require.Contains(t, database, "networks: [inside]")
	require.Contains(t, database, `"ssl=on"`)
	require.NotRegexp(t, `(?i)password:[ \t]*\S`, string(text), "passwords come from files")
	for _, m := range regexp.MustCompile(`- (\./[^:]+):`).FindAllStringSubmatch(string(text), -1) {
		if !strings.HasPrefix(m[1], "./tls/") { // what certificates.sh makes
			require.FileExists(t, m[1])
		}
	}
	if exec.Command("docker", "compose", "version").Run() == nil {
		out, err := exec.Command("docker", "compose", "config", "--quiet").CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

func TestScripts(t *testing.T) {
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.Command(name, args...).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		return string(out)
	}
	for range 2 { // the second time nothing changes
		run("./certificates.sh", dir)
		run("./secrets.sh", dir)
	}
	run("openssl", "verify", "-purpose", "sslserver", "-verify_hostname", "database", "-CAfile", filepath.Join(dir, "tls/authority.crt"), filepath.Join(dir, "tls/database/server.crt"))
	for _, private := range []string{"tls/authority.key", "tls/database/server.key"} {
		info, err := os.Stat(filepath.Join(dir, private))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is nobody else's", private)
	}
	password, err := os.ReadFile(filepath.Join(dir, "secrets/database_password"))
	require.NoError(t, err)
	require.Len(t, password, 44)
	ignored, err := os.ReadFile(".gitignore")
	require.NoError(t, err)
	require.Equal(t, "/tls/\n/secrets/\n", string(ignored), "neither gets into the repository")
}

// TestStepsOfTheImage goes through the Dockerfile's last stage in a clean folder: the copied program
// starts without anything else of this machine, with a root that it cannot write. It takes the
// program that make kolibri made (make e2e does both).
func TestStepsOfTheImage(t *testing.T) {
	program, err := os.ReadFile("../bin/kolibri")
	if os.IsNotExist(err) {
		t.Skip("there is no bin/kolibri: run make kolibri")
	}
	require.NoError(t, err)
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "kolibri"), program, 0o755))
	headers, err := elf.NewFile(bytes.NewReader(program))
	require.NoError(t, err)
	for _, p := range headers.Progs {
		require.NotEqual(t, elf.PT_INTERP, p.Type, "it is linked statically: the image has no loader")
	}
	home := t.TempDir()
	c := exec.Command(filepath.Join(root, "kolibri"), "start", "--foreground")
	c.Dir = root
	require.NoError(t, os.Chmod(root, 0o555))
	for _, i := range instructions(t) {
		if i[0] == "ENV" {
			for _, assignment := range strings.Fields(i[1]) {
				c.Env = append(c.Env, strings.NewReplacer("/data", home, "=/build", "=").Replace(assignment))
			}
		}
	}
	c.Env = append(c.Env, "KOLIBRI_DATABASE_NAME=kolibri", "KOLIBRI_DATABASE_HOST=127.0.0.1", "KOLIBRI_DATABASE_PORT=1")
	out, err := c.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "DATABASE_HOST and DATABASE_PORT", "everything is there but the database")
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(string(out), "\n", 2)[0]), &line), "the log is JSON")
}
