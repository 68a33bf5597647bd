package deploy

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// template is a deployment template; what of the schema is used here.
type template struct {
	Schema         string                     `json:"$schema"`
	ContentVersion string                     `json:"contentVersion"`
	Metadata       map[string]string          `json:"metadata"`
	Parameters     map[string]parameter       `json:"parameters"`
	Variables      map[string]json.RawMessage `json:"variables"`
	Resources      []map[string]any           `json:"resources"`
	Outputs        map[string]map[string]any  `json:"outputs"`
}

type parameter struct {
	Type          string            `json:"type"`
	Default       any               `json:"defaultValue"`
	Allowed       []any             `json:"allowedValues"`
	MinLength     *int              `json:"minLength"`
	MaxLength     *int              `json:"maxLength"`
	MinValue      *int              `json:"minValue"`
	MaxValue      *int              `json:"maxValue"`
	Documentation map[string]string `json:"metadata"`
}

func load(t *testing.T, name string) (template, string) {
	text, err := os.ReadFile("azure/" + name)
	require.NoError(t, err)
	var parsed template
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&parsed))
	return parsed, string(text)
}

// each calls fn for every value in a tree, with the keys that lead to it.
func each(v any, path string, fn func(path string, v any)) {
	fn(path, v)
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			each(inner, path+"/"+k, fn)
		}
	case []any:
		for _, inner := range v {
			each(inner, path+"/", fn)
		}
	}
}

var (
	quoted   = regexp.MustCompile(`(parameters|variables)\('([^']+)'\)`)
	resource = regexp.MustCompile(`^\[(?:extensionR|r)esourceId\(`)
)

// balanced tells whether an expression's brackets and quotes close.
func balanced(text string) bool {
	depth, inside := 0, false
	for _, c := range text {
		switch {
		case c == '\'':
			inside = !inside
		case inside:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0 && !inside
}

// idOf writes a resource's name as resourceId would be asked for it.
func idOf(r map[string]any) string {
	kind, name := r["type"].(string), r["name"].(string)
	var parts []string
	if inner, ok := strings.CutPrefix(name, "[concat("); ok && strings.Count(kind, "/") > 1 {
		// "[concat(variables('a'), '/default/', variables('b'))]"
		for _, part := range strings.Split(strings.TrimSuffix(inner, ")]"), ", ") {
			if !strings.HasPrefix(part, "'") {
				parts = append(parts, part)
				continue
			}
			for _, word := range strings.Split(strings.Trim(part, "'"), "/") {
				if word != "" {
					parts = append(parts, "'"+word+"'")
				}
			}
		}
	} else if strings.HasPrefix(name, "[") {
		parts = []string{strings.Trim(name, "[]")}
	} else {
		parts = []string{"'" + name + "'"}
	}
	return "resourceId('" + kind + "', " + strings.Join(parts, ", ") + ")"
}

func TestTemplates(t *testing.T) {
	for _, name := range []string{"test_deployment_template.json", "prod_deployment_template.json"} {
		t.Run(name, func(t *testing.T) {
			parsed, text := load(t, name)
			requireKnown(t, text)
			require.Equal(t, "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", parsed.Schema)
			require.Regexp(t, `^\d+\.\d+\.\d+\.\d+$`, parsed.ContentVersion)
			used := map[string]bool{}
			for _, m := range quoted.FindAllStringSubmatch(text, -1) {
				used[m[1]+" "+m[2]] = true
			}
			for name, p := range parsed.Parameters {
				require.Contains(t, []string{"string", "securestring", "int", "bool"}, p.Type, name)
				require.NotEmpty(t, p.Documentation["description"], "%s is not explained", name)
				require.True(t, used["parameters "+name], "%s has no effect", name)
				if p.Type == "securestring" && p.Default != nil {
					require.Equal(t, "[newGuid()]", p.Default, "%s would be known to everybody", name)
				}
				if regexp.MustCompile(`(?i)password|secret|token|key`).MatchString(name) {
					require.Equal(t, "securestring", p.Type, name)
				}
			}
			for name := range parsed.Variables {
				require.True(t, used["variables "+name], "%s is used nowhere", name)
			}
			ids, loops := map[string]bool{}, map[any]bool{}
			for _, r := range parsed.Resources {
				ids[idOf(r)] = true
				if r["copy"] != nil {
					loops[at(t, r, "copy", "name")] = true
				}
			}
			var all any
			require.NoError(t, json.Unmarshal([]byte(text), &all))
			inner := map[string]bool{"site": true, "domain": true, "thumbprint": true} // of the nested template
			each(all, "", func(path string, v any) {
				s, ok := v.(string)
				if !ok || !strings.HasPrefix(s, "[") {
					return
				}
				require.True(t, balanced(s), s)
				for _, m := range quoted.FindAllStringSubmatch(s, -1) {
					if strings.Contains(path, "/template/") {
						require.True(t, m[1] == "parameters" && inner[m[2]], "%s: %s", path, s)
						continue
					}
					if m[1] == "parameters" {
						require.Contains(t, parsed.Parameters, m[2], s)
					} else {
						require.Contains(t, parsed.Variables, m[2], s)
					}
				}
			})
			for _, r := range parsed.Resources {
				require.Regexp(t, `^Microsoft\.[A-Za-z]+(/[A-Za-z]+)+$`, r["type"])
				require.Regexp(t, `^20\d\d-\d\d-\d\d(-preview)?$`, r["apiVersion"], r["type"])
				for _, d := range list(r["dependsOn"]) {
					if loops[d] {
						continue
					}
					require.Regexp(t, resource, d)
					if strings.HasPrefix(d.(string), "[resourceId") {
						require.True(t, ids[strings.Trim(d.(string), "[]")], "%s depends on %s, which is not in the template", r["type"], d)
					}
				}
			}
			for name, o := range parsed.Outputs {
				require.NotRegexp(t, `(?i)listKeys|password|token`, o["value"], "output %s shows a secret", name)
			}
			noPlainSecrets(t, all)
		})
	}
}

func list(v any) []any { l, _ := v.([]any); return l }

// noPlainSecrets: settings with secret names are references into the vault or secure by their type.
func noPlainSecrets(t *testing.T, all any) {
	allowed := regexp.MustCompile(`^(\[concat\('@Microsoft\.KeyVault\(|@AppSettingRef\(|\[parameters\('(databasePassword|metricsToken)'\)\]$|\[listKeys\()`)
	each(all, "", func(path string, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		if name, ok := m["name"].(string); ok && m["value"] != nil && regexp.MustCompile(`(?i)PASSWORD|TOKEN|SECRET|_KEY$`).MatchString(name) {
			require.Regexp(t, `^\[concat\('@Microsoft\.KeyVault\(`, m["value"], "app setting %s", name)
		}
		for _, key := range []string{"accessKey", "storageAccountKey", "administratorLoginPassword"} {
			if v, ok := m[key]; ok {
				require.Regexp(t, allowed, v, path+"/"+key)
			}
		}
	})
	text, err := json.Marshal(all)
	require.NoError(t, err)
	require.NotRegexp(t, `(?i)AccountKey=|uniqueString\([^)]*\)[^"]*password|password[^"]*uniqueString`, string(text))
}

// find returns the one resource of a type.
func (p template) find(t *testing.T, kind string) map[string]any {
	var found []map[string]any
	for _, r := range p.Resources {
		if r["type"] == kind {
			found = append(found, r)
		}
	}
	require.NotEmpty(t, found, kind)
	return found[0]
}

// at follows keys into a tree.
func at(t *testing.T, v any, path ...string) any {
	for _, key := range path {
		m, ok := v.(map[string]any)
		require.True(t, ok && m[key] != nil, "%v is missing", path)
		v = m[key]
	}
	return v
}

func TestProductionTemplate(t *testing.T) {
	p, text := load(t, "prod_deployment_template.json")
	properties := func(kind string, path ...string) any {
		return at(t, p.find(t, kind)["properties"], path...)
	}
	const server = "Microsoft.DBforPostgreSQL/flexibleServers"
	require.Equal(t, "Disabled", properties(server, "network", "publicNetworkAccess"))
	require.Contains(t, properties(server, "network", "delegatedSubnetResourceId"), "'database'")
	require.NotContains(t, strings.ToLower(text), "firewallrules", "private access has none to leave open")
	require.NotContains(t, text, "0.0.0.0")
	require.Equal(t, "[parameters('backupDays')]", properties(server, "backup", "backupRetentionDays"))
	settings := map[string]any{}
	for _, r := range p.Resources {
		if r["type"] == server+"/configurations" {
			settings[regexp.MustCompile(`'/(\w+)'`).FindStringSubmatch(r["name"].(string))[1]] = at(t, r["properties"], "value")
		}
	}
	require.Equal(t, map[string]any{"require_secure_transport": "ON", "ssl_min_protocol_version": "TLSv1.2"}, settings)

	for _, kind := range []string{"Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"} {
		require.Equal(t, "Deny", properties(kind, "networkAcls", "defaultAction"), kind)
	}
	require.Equal(t, true, properties("Microsoft.KeyVault/vaults", "enablePurgeProtection"))
	require.Equal(t, true, properties("Microsoft.Storage/storageAccounts/fileServices", "shareDeleteRetentionPolicy", "enabled"))

	const web = "Microsoft.Web/sites"
	require.Equal(t, true, properties(web, "httpsOnly"))
	require.Equal(t, "/readyz", properties(web, "siteConfig", "healthCheckPath"))
	require.Equal(t, "UserAssigned", at(t, p.find(t, web), "identity", "type"))
	mount := properties(web, "siteConfig", "azureStorageAccounts", "content")
	require.Equal(t, "/data/content", at(t, mount, "mountPath"))
	require.Equal(t, "[variables('shareName')]", at(t, mount, "shareName"), "the share that is made is the one that is mounted")
	require.Contains(t, p.find(t, "Microsoft.Storage/storageAccounts/fileServices/shares")["name"], "variables('shareName')")
	environment := map[string]string{}
	for _, s := range list(properties(web, "siteConfig", "appSettings")) {
		environment[at(t, s, "name").(string)] = at(t, s, "value").(string)
	}
	require.Equal(t, "postgres", environment["KOLIBRI_DATABASE_ENGINE"])
	require.Equal(t, "verify-full", environment["KOLIBRI_DATABASE_SSL_MODE"])
	require.Equal(t, at(t, mount, "mountPath"), environment["KOLIBRI_CONTENT_DIR"])
	require.Equal(t, environment["WEBSITES_PORT"], environment["KOLIBRI_HTTP_PORT"])
	for name, value := range environment { // every reference leads to a secret that is made
		if m := regexp.MustCompile(`SecretName=([\w-]+)`).FindStringSubmatch(value); m != nil {
			require.Contains(t, text, "variables('vaultName'), '/"+m[1]+"'", name)
		}
	}
	require.Contains(t, environment["KOLIBRI_ZIP_CONTENT_ORIGIN"], "concat('https://', parameters('zipDomain'))", "apps run under a name of their own")
	for _, kind := range []string{web + "/hostNameBindings", "Microsoft.Web/certificates"} {
		require.Equal(t, "[length(variables('domains'))]", at(t, p.find(t, kind), "copy", "count"), "every name has its %s", kind)
		require.Equal(t, "Serial", at(t, p.find(t, kind), "copy", "mode"), "a web app is changed by one at a time")
	}
	require.Contains(t, environment, regexp.MustCompile(`@AppSettingRef\((\w+)\)`).FindStringSubmatch(at(t, mount, "accessKey").(string))[1])

	profile := list(properties("Microsoft.Insights/autoscalesettings", "profiles"))[0]
	require.Len(t, list(at(t, profile, "rules")), 2, "up and down")
	logged := map[string]bool{}
	for _, r := range p.Resources {
		if r["type"] == "Microsoft.Insights/diagnosticSettings" {
			logged[strings.Split(r["scope"].(string), "'")[1]] = true
		}
	}
	require.Equal(t, map[string]bool{web: true, server: true, "Microsoft.KeyVault/vaults": true}, logged)
	require.Contains(t, text, `"Microsoft.Web/certificates"`)
	require.Contains(t, text, `"SniEnabled"`)
}

func TestTestTemplate(t *testing.T) {
	p, _ := load(t, "test_deployment_template.json")
	group := p.find(t, "Microsoft.ContainerInstance/containerGroups")["properties"]
	containers := list(at(t, group, "containers"))
	require.Len(t, containers, 1)
	volumes := map[string]bool{}
	for _, v := range list(at(t, group, "volumes")) {
		volumes[at(t, v, "name").(string)] = true
	}
	mounts := map[string]string{}
	for _, m := range list(at(t, containers[0], "properties", "volumeMounts")) {
		name := at(t, m, "name").(string)
		require.True(t, volumes[name], "nothing is mounted as %s", name)
		mounts[at(t, m, "mountPath").(string)] = name
	}
	require.Equal(t, map[string]string{"/data/content": "content", "/data/home": "home"}, mounts)
	ports := map[any]string{}
	for _, v := range list(at(t, containers[0], "properties", "environmentVariables")) {
		ports[at(t, v, "value")] = at(t, v, "name").(string)
	}
	require.Equal(t, "KOLIBRI_HTTP_PORT", ports["8080"])
	require.Equal(t, "KOLIBRI_ZIP_CONTENT_PORT", ports["8081"])
	require.Equal(t, at(t, group, "ipAddress", "ports"), at(t, containers[0], "properties", "ports"))
	at(t, containers[0], "properties", "livenessProbe", "httpGet", "path")
	at(t, containers[0], "properties", "readinessProbe", "httpGet", "path")
}
