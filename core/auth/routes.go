package auth

import "kolibri/core/api"

// CollectionRoutes are the routes of facilities, their settings, classes and groups, and of who
// belongs to them with what role. pictures starts the job that hands out picture passwords.
func CollectionRoutes(h *api.Host, pictures PictureTask) []api.Route {
	var all []api.Route
	for _, routes := range [][]api.Route{facilityRoutes(h), datasetRoutes(h, pictures), classroomRoutes(h), learnerGroupRoutes(h),
		roleRoutes(h), membershipRoutes(h)} {
		all = append(all, routes...)
	}
	return all
}
