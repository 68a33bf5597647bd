package auth

// The permissions of this app's models. Other apps describe theirs the same way, beside their
// handlers: ManagedByCoaches for what a coach makes for a class, Logs for what a learner leaves.
var (
	// Datasets are the settings of facilities. Rules look at DatasetID, which is the row's own id.
	Datasets = &Model{Name: "FacilityDataset", Rules: []Rule{
		Anybody{May: Read},
		FacilityAdmin{May: Create | Update},
	}}
	// Collections are facilities, classes and groups. Rules look at ID, Kind and ParentID.
	Collections = &Model{Name: "Collection", Rules: []Rule{
		collectionRule{},
		Anybody{May: Read, Kind: KindFacility},
		groupRule{},
	}}
	// Users are the accounts of facilities. Rules look at ID and DatasetID.
	Users = &Model{Name: "FacilityUser", Rules: []Rule{
		IsSelf{May: Read | Update | Delete},
		FacilityAdmin{May: Read | Write},
		ByRole{Over: OverSelf, Create: nobody, Read: coaches, Update: admins, Delete: nobody, Within: withinSelf},
	}}
	// Roles link users to collections. Rules look at UserID and CollectionID.
	Roles = &Model{Name: "Role", Rules: []Rule{
		IsOwn{May: Read},
		ByRole{Over: OverCollection, Create: admins, Read: coaches, Update: nobody, Delete: admins, Within: WithinCollection},
	}}
	// Memberships link users to classes and groups. Rules look at UserID and CollectionID.
	Memberships = &Model{Name: "Membership", Rules: []Rule{
		IsOwn{May: Read},
		ByRole{Over: OverUser, Create: admins, Read: coaches, Update: nobody, Delete: admins, Within: WithinCollection},
		groupMembershipRule{},
	}}
	// Logs are what learners leave behind: every model of the logger app. Rules look at UserID.
	Logs = &Model{Name: "Log", Rules: []Rule{
		AnonymousLogs{},
		IsOwn{May: Read | Write},
		ByRole{Over: OverUser, Create: admins, Read: coaches, Update: admins, Delete: admins, Within: WithinUser},
	}}
)
