package tasks

import (
	"errors"

	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/store"
)

// Permission says who may see a job and who may start, cancel or clear it
// (kolibri/core/tasks/permissions.py). The empty permission lets everybody do everything, as the
// original does for its maintenance tasks.
type Permission string

// The permissions that the original's task types have.
const (
	Everybody                Permission = ""
	AdminForJob              Permission = "admin" // superusers, and admins of the job's facility
	SuperuserOnly            Permission = "superuser"
	ContentManager           Permission = "content"
	SuperuserOrUnprovisioned Permission = "superuser or unprovisioned"
	FirstProvisioning        Permission = "first"    // anybody while the device is not set up; everybody may look
	UnusableDevice           Permission = "unusable" // anybody on a device nobody can administer; everybody may look
	SelfOrAdmin              Permission = "self or admin"
)

// allows decides for a person and a job; reading is to see it in a list or by its id.
func (p Permission) allows(tx *store.Tx, who *auth.Person, job *Job, reading bool) (bool, error) {
	switch p {
	case Everybody:
		return true, nil
	case AdminForJob:
		return who.IsSuperuser || who.IsFacilityAdmin() && job.FacilityID != nil && *job.FacilityID == who.FacilityID, nil
	case SuperuserOnly:
		return who.IsSuperuser, nil
	case ContentManager:
		return who.CanManageContent, nil
	case SuperuserOrUnprovisioned:
		if who.IsSuperuser {
			return true, nil
		}
		s, err := settings.Get(tx)
		return !s.IsProvisioned, err
	case FirstProvisioning:
		if reading {
			return true, nil
		}
		s, err := settings.Get(tx)
		return !s.IsProvisioned, err
	case UnusableDevice:
		if reading {
			return true, nil
		}
		reason, err := settings.UnusableReason(tx)
		return reason != "", err
	case SelfOrAdmin:
		return who.IsSuperuser || who.IsFacilityAdmin() || isSelf(who, job), nil
	}
	return false, errors.New("tasks: unknown permission " + string(p))
}

// isSelf: kolibri/plugins/user_profile/tasks.py: IsSelf.
func isSelf(who *auth.Person, job *Job) bool {
	if who.IsAnonymous() {
		return false
	}
	if len(job.Args) > 1 && job.Args[1] == who.ID {
		return true
	}
	return job.Kwargs["remote_user_pk"] == who.ID
}
