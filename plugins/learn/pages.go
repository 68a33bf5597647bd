// Package learn is the plugin in which learners find, open and finish resources
// (kolibri/plugins/learn).
package learn

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/content"
	"kolibri/core/device/settings"
	"kolibri/core/discovery"
)

const plugin = "kolibri.plugins.learn"

// Learn answers for the plugin.
type Learn struct {
	host    *api.Host
	content *content.Content
}

// New makes the plugin of a host, which shows the library.
func New(host *api.Host, library *content.Content) *Learn { return &Learn{host, library} }

// Routes are the plugin's pages and APIs.
func (l *Learn) Routes() []api.Route {
	var all []api.Route
	for name, handle := range map[string]api.Handler{
		"learn": l.page, "my_downloads": l.downloadsPage,
		"state": l.state, "homehydrate": l.home,
		"learnerclassroom-list": l.classrooms, "learnerclassroom-detail": l.classroom,
		"learnerlesson-list": l.lessons, "learnerlesson-detail": l.lesson,
		"learnercourse-list": l.courses, "learnercourse-detail": l.course, "learnercourse-resume": l.resume,
	} {
		all = append(all, api.Route{Name: "kolibri:" + plugin + ":" + name, Method: http.MethodGet, Handle: handle})
	}
	return all
}

// page is the plugin's own page.
// kolibri/plugins/learn/kolibri_plugin.py: LearnAsset
func (l *Learn) page(r *api.Request) (any, error) {
	device, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	courses, err := content.Exists(r.Tx, content.Course)
	if err != nil {
		return nil, err
	}
	studio := l.host.Options.CentralContentBaseURL
	return l.host.Pages.Page(r, "learn", true, map[string]map[string]any{plugin + ".app": {
		"allowDownloadOnMeteredConnection":     device.MeteredDownload(),
		"allowGuestAccess":                     device.AllowGuestAccess,
		"allowLearnerDownloads":                device.LearnerDownloads(),
		"allowLearnerUnassignedResourceAccess": device.UnassignedResourcesAllowed(),
		"allowRemoteAccess":                    device.AllowOtherBrowsersToConnect,
		"enableCustomChannelNav":               false,
		"studioDevice":                         map[string]string{"base_url": studio, "instance_id": discovery.ServiceID(studio)},
		"courses_exist":                        courses,
	}})
}

// downloadsPage shows what the reader asked to be downloaded.
// kolibri/plugins/learn/kolibri_plugin.py: MyDownloadsAsset
func (l *Learn) downloadsPage(r *api.Request) (any, error) {
	device, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	return l.host.Pages.Page(r, "learn/my-downloads", true, map[string]map[string]any{plugin + ".my_downloads_app": {
		"setLimitForAutodownload": device.DownloadLimited(),
		"limitForAutodownload":    device.LimitForAutodownload(),
	}})
}

// Navigation is what the plugin's entries in every page's menu need to know.
// kolibri/plugins/learn/kolibri_plugin.py: MyDownloadsNavAction
func Navigation(r *api.Request, data map[string]map[string]any) error {
	device, err := settings.Get(r.Tx)
	data[plugin+".my_downloads_side_nav"] = map[string]any{"allowLearnerDownloads": device.LearnerDownloads()}
	return err
}
