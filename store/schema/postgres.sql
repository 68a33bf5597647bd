-- The tables, constraints and indexes of Kolibri 0.19.5 as its own migrations make them in PostgreSQL.
-- Names and types are the database contract: a real Kolibri opens this schema.

CREATE TABLE "analytics_localnotification" ("id" serial NOT NULL, "key" varchar(50) NOT NULL, "created_at" timestamp with time zone NOT NULL, CONSTRAINT "analytics_localnotification_key_key" UNIQUE (key), CONSTRAINT "analytics_localnotification_pkey" PRIMARY KEY (id));
CREATE INDEX "analytics_localnotification_key_cdd566a2_like" ON "analytics_localnotification" (key varchar_pattern_ops);

CREATE TABLE "analytics_pingbacknotification" ("id" varchar(50) NOT NULL, "version_range" varchar(50) NOT NULL, "timestamp" date NOT NULL, "link_url" varchar(150) NOT NULL, "i18n" text NOT NULL, "active" boolean NOT NULL, "source" varchar(20) NOT NULL, CONSTRAINT "analytics_pingbacknotification_pkey" PRIMARY KEY (id));
CREATE INDEX "analytics_pingbacknotification_id_8701b8a0_like" ON "analytics_pingbacknotification" (id varchar_pattern_ops);

CREATE TABLE "analytics_pingbacknotificationdismissed" ("id" serial NOT NULL, "notification_id" varchar(50) NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "analytics_pingbacknotifi_user_id_notification_id_8d56aefc_uniq" UNIQUE (user_id, notification_id), CONSTRAINT "analytics_pingbacknotificationdismissed_pkey" PRIMARY KEY (id));
CREATE INDEX "analytics_pingbacknotifi_notification_id_01d1ee67_like" ON "analytics_pingbacknotificationdismissed" (notification_id varchar_pattern_ops);
CREATE INDEX "analytics_pingbacknotifica_notification_id_01d1ee67" ON "analytics_pingbacknotificationdismissed" (notification_id);
CREATE INDEX "analytics_pingbacknotificationdismissed_user_id_99b20e1e" ON "analytics_pingbacknotificationdismissed" (user_id);

CREATE TABLE "attendance_attendancerecord" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "present" boolean NOT NULL, "attendance_session_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "attendance_attendancerec_attendance_session_id_us_ed81ed10_uniq" UNIQUE (attendance_session_id, user_id), CONSTRAINT "attendance_attendancerecord_pkey" PRIMARY KEY (id));
CREATE INDEX "attendance_attendancerecord_attendance_session_id_ee9a8d8e" ON "attendance_attendancerecord" (attendance_session_id);
CREATE INDEX "attendance_attendancerecord_dataset_id_275474e3" ON "attendance_attendancerecord" (dataset_id);
CREATE INDEX "attendance_attendancerecord_user_id_1bb6e31f" ON "attendance_attendancerecord" (user_id);

CREATE TABLE "attendance_attendancesession" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "session_start_datetime" varchar NOT NULL, "date_created" varchar NOT NULL, "date_modified" varchar NOT NULL, "collection_id" uuid NOT NULL, "created_by_id" uuid NULL, "dataset_id" uuid NOT NULL, CONSTRAINT "attendance_attendancesession_pkey" PRIMARY KEY (id));
CREATE INDEX "attendance_attendancesession_collection_id_386c8b1e" ON "attendance_attendancesession" (collection_id);
CREATE INDEX "attendance_attendancesession_created_by_id_8831185e" ON "attendance_attendancesession" (created_by_id);
CREATE INDEX "attendance_attendancesession_dataset_id_f50705a4" ON "attendance_attendancesession" (dataset_id);

CREATE TABLE "auth_group" ("id" serial NOT NULL, "name" varchar(150) NOT NULL, CONSTRAINT "auth_group_name_key" UNIQUE (name), CONSTRAINT "auth_group_pkey" PRIMARY KEY (id));
CREATE INDEX "auth_group_name_a6ea08ec_like" ON "auth_group" (name varchar_pattern_ops);

CREATE TABLE "auth_group_permissions" ("id" serial NOT NULL, "group_id" integer NOT NULL, "permission_id" integer NOT NULL, CONSTRAINT "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" UNIQUE (group_id, permission_id), CONSTRAINT "auth_group_permissions_pkey" PRIMARY KEY (id));
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" (group_id);
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" (permission_id);

CREATE TABLE "auth_permission" ("id" serial NOT NULL, "name" varchar(255) NOT NULL, "content_type_id" integer NOT NULL, "codename" varchar(100) NOT NULL, CONSTRAINT "auth_permission_content_type_id_codename_01ab375a_uniq" UNIQUE (content_type_id, codename), CONSTRAINT "auth_permission_pkey" PRIMARY KEY (id));
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" (content_type_id);

CREATE TABLE "bookmarks_bookmark" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "content_id" uuid NULL, "channel_id" uuid NULL, "contentnode_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NOT NULL, "created" timestamp with time zone NOT NULL, CONSTRAINT "bookmarks_bookmark_pkey" PRIMARY KEY (id), CONSTRAINT "bookmarks_bookmark_user_id_contentnode_id_e0f35590_uniq" UNIQUE (user_id, contentnode_id));
CREATE INDEX "bookmarks_bookmark_created_eb31a9bf" ON "bookmarks_bookmark" (created);
CREATE INDEX "bookmarks_bookmark_dataset_id_baf7c629" ON "bookmarks_bookmark" (dataset_id);
CREATE INDEX "bookmarks_bookmark_user_id_a26bf17c" ON "bookmarks_bookmark" (user_id);

CREATE TABLE "content_assessmentmetadata" ("id" uuid NOT NULL, "assessment_item_ids" text NOT NULL, "number_of_assessments" integer NOT NULL, "mastery_model" text NOT NULL, "randomize" boolean NOT NULL, "is_manipulable" boolean NOT NULL, "contentnode_id" uuid NOT NULL, CONSTRAINT "content_assessmentmetadata_pkey" PRIMARY KEY (id));
CREATE INDEX "content_assessmentmetadata_contentnode_id_19cbc70a" ON "content_assessmentmetadata" (contentnode_id);

CREATE TABLE "content_channelmetadata" ("id" uuid NOT NULL, "name" varchar(200) NOT NULL, "description" varchar(400) NOT NULL, "author" varchar(400) NOT NULL, "version" integer NOT NULL, "thumbnail" text NOT NULL, "last_updated" varchar NULL, "min_schema_version" varchar(50) NOT NULL, "root_id" uuid NOT NULL, "published_size" bigint NULL, "total_resource_count" integer NULL, "order" integer NULL, "public" boolean NULL, "tagline" varchar(150) NULL, "partial" boolean NULL, "included_categories" text NULL, "included_grade_levels" text NULL, "library" varchar(50) NULL, CONSTRAINT "content_channelmetadata_order_check" CHECK (("order" >= 0)), CONSTRAINT "content_channelmetadata_pkey" PRIMARY KEY (id));
CREATE INDEX "content_channelmetadata_root_id_ba963469" ON "content_channelmetadata" (root_id);

CREATE TABLE "content_channelmetadata_included_languages" ("id" serial NOT NULL, "sort_value" integer NOT NULL, "channelmetadata_id" uuid NOT NULL, "language_id" varchar(14) NOT NULL, CONSTRAINT "content_channelmetadata__channelmetadata_id_langu_51f20415_uniq" UNIQUE (channelmetadata_id, language_id), CONSTRAINT "content_channelmetadata_included_languages_pkey" PRIMARY KEY (id));
CREATE INDEX "content_channelmetadata__language_id_7044f65d_like" ON "content_channelmetadata_included_languages" (language_id varchar_pattern_ops);
CREATE INDEX "content_channelmetadata_in_channelmetadata_id_bd8ec7ef" ON "content_channelmetadata_included_languages" (channelmetadata_id);
CREATE INDEX "content_channelmetadata_included_languages_language_id_7044f65d" ON "content_channelmetadata_included_languages" (language_id);

CREATE TABLE "content_contentnode" ("id" uuid NOT NULL, "title" varchar(200) NOT NULL, "content_id" uuid NOT NULL, "channel_id" uuid NOT NULL, "description" text NULL, "sort_order" double precision NULL, "license_owner" varchar(200) NOT NULL, "author" varchar(200) NOT NULL, "kind" varchar(200) NOT NULL, "available" boolean NOT NULL, "lft" integer NOT NULL, "rght" integer NOT NULL, "tree_id" integer NOT NULL, "level" integer NOT NULL, "lang_id" varchar(14) NULL, "parent_id" uuid NULL, "license_description" text NULL, "license_name" varchar(50) NULL, "coach_content" boolean NOT NULL, "num_coach_contents" integer NULL, "on_device_resources" integer NULL, "options" text NULL, "accessibility_labels" text NULL, "categories" text NULL, "duration" integer NULL, "grade_levels" text NULL, "learner_needs" text NULL, "learning_activities" text NULL, "resource_types" text NULL, "accessibility_labels_bitmask_0" bigint NULL, "categories_bitmask_0" bigint NULL, "grade_levels_bitmask_0" bigint NULL, "learner_needs_bitmask_0" bigint NULL, "learning_activities_bitmask_0" bigint NULL, "ancestors" text NULL, "admin_imported" boolean NULL, "modality" varchar(50) NULL, CONSTRAINT "content_contentnode_duration_check" CHECK ((duration >= 0)), CONSTRAINT "content_contentnode_level_check" CHECK ((level >= 0)), CONSTRAINT "content_contentnode_lft_check" CHECK ((lft >= 0)), CONSTRAINT "content_contentnode_pkey" PRIMARY KEY (id), CONSTRAINT "content_contentnode_rght_check" CHECK ((rght >= 0)), CONSTRAINT "content_contentnode_tree_id_check" CHECK ((tree_id >= 0)));
CREATE INDEX "content_con_modalit_b33128_idx" ON "content_contentnode" (modality);
CREATE INDEX "content_contentnode_channel_id_77d3faec" ON "content_contentnode" (channel_id);
CREATE INDEX "content_contentnode_content_id_790eac82" ON "content_contentnode" (content_id);
CREATE INDEX "content_contentnode_lang_id_600d594b" ON "content_contentnode" (lang_id);
CREATE INDEX "content_contentnode_lang_id_600d594b_like" ON "content_contentnode" (lang_id varchar_pattern_ops);
CREATE INDEX "content_contentnode_level_channel_id_available_29f0bb18_idx" ON "content_contentnode" (level, channel_id, available);
CREATE INDEX "content_contentnode_level_channel_id_kind_fd732cc4_idx" ON "content_contentnode" (level, channel_id, kind);
CREATE INDEX "content_contentnode_parent_id_47178783" ON "content_contentnode" (parent_id);
CREATE INDEX "content_contentnode_tree_id_d115ca94" ON "content_contentnode" (tree_id);

CREATE TABLE "content_contentnode_has_prerequisite" ("id" serial NOT NULL, "from_contentnode_id" uuid NOT NULL, "to_contentnode_id" uuid NOT NULL, CONSTRAINT "content_contentnode_has__from_contentnode_id_to_c_c9e1d527_uniq" UNIQUE (from_contentnode_id, to_contentnode_id), CONSTRAINT "content_contentnode_has_prerequisite_pkey" PRIMARY KEY (id));
CREATE INDEX "content_contentnode_has_pr_from_contentnode_id_1085c145" ON "content_contentnode_has_prerequisite" (from_contentnode_id);
CREATE INDEX "content_contentnode_has_prerequisite_to_contentnode_id_5561f92c" ON "content_contentnode_has_prerequisite" (to_contentnode_id);

CREATE TABLE "content_contentnode_related" ("id" serial NOT NULL, "from_contentnode_id" uuid NOT NULL, "to_contentnode_id" uuid NOT NULL, CONSTRAINT "content_contentnode_rela_from_contentnode_id_to_c_fc2ed20c_uniq" UNIQUE (from_contentnode_id, to_contentnode_id), CONSTRAINT "content_contentnode_related_pkey" PRIMARY KEY (id));
CREATE INDEX "content_contentnode_related_from_contentnode_id_f56e3999" ON "content_contentnode_related" (from_contentnode_id);
CREATE INDEX "content_contentnode_related_to_contentnode_id_42e82421" ON "content_contentnode_related" (to_contentnode_id);

CREATE TABLE "content_contentnode_tags" ("id" serial NOT NULL, "contentnode_id" uuid NOT NULL, "contenttag_id" uuid NOT NULL, CONSTRAINT "content_contentnode_tags_contentnode_id_contentta_64a4ac15_uniq" UNIQUE (contentnode_id, contenttag_id), CONSTRAINT "content_contentnode_tags_pkey" PRIMARY KEY (id));
CREATE INDEX "content_contentnode_tags_contentnode_id_4ea196dd" ON "content_contentnode_tags" (contentnode_id);
CREATE INDEX "content_contentnode_tags_contenttag_id_9518e093" ON "content_contentnode_tags" (contenttag_id);

CREATE TABLE "content_contentrequest" ("id" uuid NOT NULL, "source_model" varchar(40) NOT NULL, "source_id" uuid NOT NULL, "requested_at" varchar NOT NULL, "type" varchar(8) NOT NULL, "reason" varchar(14) NOT NULL, "status" varchar(11) NOT NULL, "contentnode_id" uuid NOT NULL, "metadata" text NULL, "facility_id" uuid NOT NULL, "source_instance_id" uuid NULL, "priority" integer NULL, "channel_version" integer NULL, CONSTRAINT "content_contentrequest_pkey" PRIMARY KEY (id), CONSTRAINT "content_contentrequest_type_source_model_source_9de3b84b_uniq" UNIQUE (type, source_model, source_id, contentnode_id, channel_version));
CREATE INDEX "content_contentrequest_facility_id_85cdb9e0" ON "content_contentrequest" (facility_id);

CREATE TABLE "content_contenttag" ("id" uuid NOT NULL, "tag_name" varchar(30) NOT NULL, CONSTRAINT "content_contenttag_pkey" PRIMARY KEY (id));

CREATE TABLE "content_file" ("id" uuid NOT NULL, "preset" varchar(150) NOT NULL, "supplementary" boolean NOT NULL, "thumbnail" boolean NOT NULL, "priority" integer NULL, "contentnode_id" uuid NOT NULL, "lang_id" varchar(14) NULL, "local_file_id" varchar(32) NOT NULL, CONSTRAINT "content_file_pkey" PRIMARY KEY (id));
CREATE INDEX "content_file_contentnode_id_d4089e6e" ON "content_file" (contentnode_id);
CREATE INDEX "content_file_lang_id_364540cd" ON "content_file" (lang_id);
CREATE INDEX "content_file_lang_id_364540cd_like" ON "content_file" (lang_id varchar_pattern_ops);
CREATE INDEX "content_file_local_file_id_9780c2ab" ON "content_file" (local_file_id);
CREATE INDEX "content_file_local_file_id_9780c2ab_like" ON "content_file" (local_file_id varchar_pattern_ops);
CREATE INDEX "content_file_priority_073dafe4" ON "content_file" (priority);

CREATE TABLE "content_language" ("id" varchar(14) NOT NULL, "lang_code" varchar(3) NOT NULL, "lang_subcode" varchar(10) NULL, "lang_name" varchar(100) NULL, "lang_direction" varchar(3) NOT NULL, CONSTRAINT "content_language_pkey" PRIMARY KEY (id));
CREATE INDEX "content_language_id_e9f35e8f_like" ON "content_language" (id varchar_pattern_ops);
CREATE INDEX "content_language_lang_code_7a423afe" ON "content_language" (lang_code);
CREATE INDEX "content_language_lang_code_7a423afe_like" ON "content_language" (lang_code varchar_pattern_ops);
CREATE INDEX "content_language_lang_subcode_6ca3c58e" ON "content_language" (lang_subcode);
CREATE INDEX "content_language_lang_subcode_6ca3c58e_like" ON "content_language" (lang_subcode varchar_pattern_ops);

CREATE TABLE "content_localfile" ("id" varchar(32) NOT NULL, "extension" varchar(40) NOT NULL, "available" boolean NOT NULL, "file_size" integer NULL, CONSTRAINT "content_localfile_pkey" PRIMARY KEY (id));
CREATE INDEX "content_localfile_id_a2a9e67d_like" ON "content_localfile" (id varchar_pattern_ops);

CREATE TABLE "courses_coursesession" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "course" uuid NOT NULL, "title" varchar(200) NOT NULL, "description" text NULL, "is_active" boolean NOT NULL, "date_created" varchar NOT NULL, "collection_id" uuid NOT NULL, "created_by_id" uuid NULL, "dataset_id" uuid NOT NULL, "channel_version" integer NULL, CONSTRAINT "courses_coursesession_pkey" PRIMARY KEY (id));
CREATE INDEX "courses_coursesession_collection_id_fdac6d7b" ON "courses_coursesession" (collection_id);
CREATE INDEX "courses_coursesession_created_by_id_e5fd1ccb" ON "courses_coursesession" (created_by_id);
CREATE INDEX "courses_coursesession_dataset_id_25fc5112" ON "courses_coursesession" (dataset_id);

CREATE TABLE "courses_coursesessionassignment" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "assigned_by_id" uuid NULL, "collection_id" uuid NOT NULL, "course_session_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, CONSTRAINT "courses_coursesessionassignment_pkey" PRIMARY KEY (id));
CREATE INDEX "courses_coursesessionassignment_assigned_by_id_4e3b553a" ON "courses_coursesessionassignment" (assigned_by_id);
CREATE INDEX "courses_coursesessionassignment_collection_id_96e8bcfb" ON "courses_coursesessionassignment" (collection_id);
CREATE INDEX "courses_coursesessionassignment_course_session_id_63856105" ON "courses_coursesessionassignment" (course_session_id);
CREATE INDEX "courses_coursesessionassignment_dataset_id_b1e1ce14" ON "courses_coursesessionassignment" (dataset_id);

CREATE TABLE "courses_unittestassignment" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "unit_contentnode_id" uuid NOT NULL, "test_type" varchar(10) NOT NULL, "activated_by_id" uuid NULL, "collection_id" uuid NOT NULL, "course_session_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "closed" boolean NOT NULL, CONSTRAINT "courses_unittestassignment_pkey" PRIMARY KEY (id));
CREATE INDEX "courses_unittestassignment_activated_by_id_f96fbc35" ON "courses_unittestassignment" (activated_by_id);
CREATE INDEX "courses_unittestassignment_collection_id_f397f727" ON "courses_unittestassignment" (collection_id);
CREATE INDEX "courses_unittestassignment_course_session_id_63cf8395" ON "courses_unittestassignment" (course_session_id);
CREATE INDEX "courses_unittestassignment_dataset_id_ebdea473" ON "courses_unittestassignment" (dataset_id);

CREATE TABLE "device_contentcachekey" ("id" serial NOT NULL, "key" integer NOT NULL, CONSTRAINT "device_contentcachekey_pkey" PRIMARY KEY (id));

CREATE TABLE "device_deviceappkey" ("id" serial NOT NULL, "key" uuid NOT NULL, CONSTRAINT "device_deviceappkey_pkey" PRIMARY KEY (id));

CREATE TABLE "device_devicepermissions" ("user_id" uuid NOT NULL, "is_superuser" boolean NOT NULL, "can_manage_content" boolean NOT NULL, CONSTRAINT "device_devicepermissions_pkey" PRIMARY KEY (user_id));

CREATE TABLE "device_devicesettings" ("id" serial NOT NULL, "is_provisioned" boolean NOT NULL, "language_id" varchar(15) NULL, "default_facility_id" uuid NULL, "allow_guest_access" boolean NOT NULL, "allow_learner_unassigned_resource_access" boolean NOT NULL, "allow_peer_unlisted_channel_import" boolean NOT NULL, "landing_page" varchar(7) NOT NULL, "name" varchar(50) NOT NULL, "allow_other_browsers_to_connect" boolean NOT NULL, "subset_of_users_device" boolean NOT NULL, "extra_settings" text NOT NULL, CONSTRAINT "device_devicesettings_pkey" PRIMARY KEY (id));
CREATE INDEX "device_devicesettings_default_facility_id_8937e0b7" ON "device_devicesettings" (default_facility_id);

CREATE TABLE "device_learnerdevicestatus" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "instance_id" uuid NOT NULL, "created_at" timestamp with time zone NOT NULL, "updated_at" timestamp with time zone NOT NULL, "status" varchar(32) NOT NULL, "status_sentiment" integer NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "device_learnerdevicestatus_instance_id_user_id_786bc903_uniq" UNIQUE (instance_id, user_id), CONSTRAINT "device_learnerdevicestatus_pkey" PRIMARY KEY (id));
CREATE INDEX "device_learnerdevicestatus_dataset_id_f6c55adc" ON "device_learnerdevicestatus" (dataset_id);
CREATE INDEX "device_learnerdevicestatus_user_id_348765fa" ON "device_learnerdevicestatus" (user_id);

CREATE TABLE "device_osuser" ("user_id" uuid NOT NULL, "os_username" varchar(64) NOT NULL, CONSTRAINT "device_osuser_pkey" PRIMARY KEY (user_id));
CREATE INDEX "device_osuser_os_username_81b2e3a5" ON "device_osuser" (os_username);
CREATE INDEX "device_osuser_os_username_81b2e3a5_like" ON "device_osuser" (os_username varchar_pattern_ops);

CREATE TABLE "device_sqlitelock" ("id" serial NOT NULL, CONSTRAINT "device_sqlitelock_pkey" PRIMARY KEY (id));

CREATE TABLE "device_syncqueue" ("id" uuid NOT NULL, "datetime" timestamp with time zone NOT NULL, "updated" double precision NOT NULL, "keep_alive" double precision NOT NULL, "instance_id" uuid NOT NULL, "user_id" uuid NOT NULL, "attempts" integer NOT NULL, "last_sync" double precision NULL, "status" varchar(20) NOT NULL, "sync_session_id" uuid NULL, CONSTRAINT "device_syncqueue_pkey" PRIMARY KEY (id), CONSTRAINT "device_syncqueue_user_id_instance_id_804f042a_uniq" UNIQUE (user_id, instance_id));

CREATE TABLE "device_usersyncstatus" ("id" serial NOT NULL, "sync_session_id" uuid NULL, "user_id" uuid NOT NULL, "status" varchar(20) NOT NULL, "updated" timestamp with time zone NOT NULL, CONSTRAINT "device_usersyncstatus_pkey" PRIMARY KEY (id), CONSTRAINT "device_usersyncstatus_user_id_a6f95223_uniq" UNIQUE (user_id));
CREATE INDEX "device_usersyncstatus_sync_session_id_f1f21f58" ON "device_usersyncstatus" (sync_session_id);

CREATE TABLE "discovery_networklocation" ("id" varchar(36) NOT NULL, "base_url" varchar(100) NOT NULL, "application" varchar(32) NOT NULL, "kolibri_version" varchar(100) NOT NULL, "instance_id" varchar(32) NOT NULL, "device_name" varchar(100) NOT NULL, "operating_system" varchar(32) NOT NULL, "added" timestamp with time zone NOT NULL, "last_accessed" timestamp with time zone NOT NULL, "nickname" varchar(100) NOT NULL, "subset_of_users_device" boolean NOT NULL, "broadcast_id" varchar(36) NULL, "connection_faults" integer NOT NULL, "connection_status" varchar(32) NOT NULL, "last_known_ip" inet NULL, "min_content_schema_version" varchar(32) NULL, "is_local" boolean NOT NULL, "location_type" varchar(8) NOT NULL, CONSTRAINT "discovery_networklocation_pkey" PRIMARY KEY (id));
CREATE INDEX "discovery_networklocation_added_5a6610e3" ON "discovery_networklocation" (added);

CREATE TABLE "discovery_pinneddevice" ("id" serial NOT NULL, "instance_id" uuid NOT NULL, "created" timestamp with time zone NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "discovery_pinneddevice_pkey" PRIMARY KEY (id), CONSTRAINT "discovery_pinneddevice_user_id_instance_id_14dd8643_uniq" UNIQUE (user_id, instance_id));
CREATE INDEX "discovery_pinneddevice_created_b2b4bb42" ON "discovery_pinneddevice" (created);
CREATE INDEX "discovery_pinneddevice_user_id_468c983d" ON "discovery_pinneddevice" (user_id);

CREATE TABLE "django_content_type" ("id" serial NOT NULL, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL, CONSTRAINT "django_content_type_app_label_model_76bd3d3b_uniq" UNIQUE (app_label, model), CONSTRAINT "django_content_type_pkey" PRIMARY KEY (id));

CREATE TABLE "django_migrations" ("id" serial NOT NULL, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" timestamp with time zone NOT NULL, CONSTRAINT "django_migrations_pkey" PRIMARY KEY (id));

CREATE TABLE "exams_draftexam" ("id" serial NOT NULL, "title" varchar(200) NOT NULL, "question_count" integer NOT NULL, "question_sources" text NOT NULL, "seed" integer NOT NULL, "learners_see_fixed_order" boolean NOT NULL, "data_model_version" smallint NOT NULL, "date_created" timestamp with time zone NULL, "assignments" text NOT NULL, "learner_ids" text NOT NULL, "collection_id" uuid NOT NULL, "creator_id" uuid NULL, "instant_report_visibility" boolean NULL, CONSTRAINT "exams_draftexam_pkey" PRIMARY KEY (id));
CREATE INDEX "exams_draftexam_collection_id_89be964c" ON "exams_draftexam" (collection_id);
CREATE INDEX "exams_draftexam_creator_id_30383308" ON "exams_draftexam" (creator_id);

CREATE TABLE "exams_exam" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "title" varchar(200) NOT NULL, "question_count" integer NOT NULL, "question_sources" text NOT NULL, "seed" integer NOT NULL, "active" boolean NOT NULL, "archive" boolean NOT NULL, "collection_id" uuid NOT NULL, "creator_id" uuid NULL, "dataset_id" uuid NOT NULL, "data_model_version" smallint NOT NULL, "learners_see_fixed_order" boolean NOT NULL, "date_created" timestamp with time zone NOT NULL, "date_archived" timestamp with time zone NULL, "date_activated" timestamp with time zone NULL, "instant_report_visibility" boolean NULL, CONSTRAINT "exams_exam_pkey" PRIMARY KEY (id));
CREATE INDEX "exams_exam_collection_id_9dc0b187" ON "exams_exam" (collection_id);
CREATE INDEX "exams_exam_creator_id_37d1b2e5" ON "exams_exam" (creator_id);
CREATE INDEX "exams_exam_dataset_id_7dff1bad" ON "exams_exam" (dataset_id);

CREATE TABLE "exams_examassignment" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "assigned_by_id" uuid NULL, "collection_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "exam_id" uuid NOT NULL, CONSTRAINT "exams_examassignment_pkey" PRIMARY KEY (id));
CREATE INDEX "exams_examassignment_assigned_by_id_53aa193a" ON "exams_examassignment" (assigned_by_id);
CREATE INDEX "exams_examassignment_collection_id_90ec6a7a" ON "exams_examassignment" (collection_id);
CREATE INDEX "exams_examassignment_dataset_id_3200aa09" ON "exams_examassignment" (dataset_id);
CREATE INDEX "exams_examassignment_exam_id_d7c499da" ON "exams_examassignment" (exam_id);

CREATE TABLE "exams_individualsyncableexam" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "exam_id" uuid NOT NULL, "serialized_exam" text NOT NULL, "collection_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "exams_individualsyncableexam_pkey" PRIMARY KEY (id));
CREATE INDEX "exams_individualsyncableexam_collection_id_00d1fd6f" ON "exams_individualsyncableexam" (collection_id);
CREATE INDEX "exams_individualsyncableexam_dataset_id_d3570826" ON "exams_individualsyncableexam" (dataset_id);
CREATE INDEX "exams_individualsyncableexam_user_id_28fbd7b0" ON "exams_individualsyncableexam" (user_id);

CREATE TABLE "jobs" ("id" varchar(36) NOT NULL, "state" varchar(20) NOT NULL, "func" varchar(200) NOT NULL, "priority" integer NOT NULL, "queue" varchar(50) NOT NULL, "saved_job" text NOT NULL, "time_created" timestamp with time zone NULL, "time_updated" timestamp with time zone NULL, "interval" integer NOT NULL, "retry_interval" integer NULL, "repeat" integer NULL, "scheduled_time" timestamp with time zone NULL, "worker_host" varchar(100) NULL, "worker_process" varchar(50) NULL, "worker_thread" varchar(50) NULL, "worker_extra" text NULL, "max_retries" integer NULL, "retries" integer NULL, CONSTRAINT "jobs_pkey" PRIMARY KEY (id));
CREATE INDEX "jobs_func_4445e2a8" ON "jobs" (func);
CREATE INDEX "jobs_func_4445e2a8_like" ON "jobs" (func varchar_pattern_ops);
CREATE INDEX "jobs_id_5fa7abdb_like" ON "jobs" (id varchar_pattern_ops);
CREATE INDEX "jobs_priority_569c2488" ON "jobs" (priority);
CREATE INDEX "jobs_queue_43213838" ON "jobs" (queue);
CREATE INDEX "jobs_queue_43213838_like" ON "jobs" (queue varchar_pattern_ops);
CREATE INDEX "jobs_state_c59a8403" ON "jobs" (state);
CREATE INDEX "jobs_state_c59a8403_like" ON "jobs" (state varchar_pattern_ops);
CREATE INDEX "queue__scheduled_time" ON "jobs" (queue, scheduled_time);

CREATE TABLE "kolibriauth_collection" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "name" varchar(100) NOT NULL, "kind" varchar(20) NOT NULL, "dataset_id" uuid NOT NULL, "parent_id" uuid NULL, CONSTRAINT "kolibriauth_collection_pkey" PRIMARY KEY (id));
CREATE INDEX "kolibriauth_collection_dataset_id_5689c7d8" ON "kolibriauth_collection" (dataset_id);
CREATE INDEX "kolibriauth_collection_parent_id_1561ec4a" ON "kolibriauth_collection" (parent_id);

CREATE TABLE "kolibriauth_facilitydataset" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "description" text NOT NULL, "location" varchar(200) NOT NULL, "learner_can_edit_username" boolean NOT NULL, "learner_can_edit_name" boolean NOT NULL, "learner_can_edit_password" boolean NOT NULL, "learner_can_sign_up" boolean NOT NULL, "learner_can_delete_account" boolean NOT NULL, "learner_can_login_with_no_password" boolean NOT NULL, "preset" varchar(50) NOT NULL, "show_download_button_in_learn" boolean NOT NULL, "registered" boolean NOT NULL, "extra_fields" text NULL, "enable_mark_attendance" boolean NOT NULL, "picture_password_settings" text NULL, CONSTRAINT "kolibriauth_facilitydataset_pkey" PRIMARY KEY (id));

CREATE TABLE "kolibriauth_facilityuser" ("password" varchar(128) NOT NULL, "last_login" timestamp with time zone NULL, "id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "username" varchar(254) NOT NULL, "full_name" varchar(120) NOT NULL, "date_joined" varchar NOT NULL, "dataset_id" uuid NOT NULL, "facility_id" uuid NOT NULL, "birth_year" varchar(16) NOT NULL, "gender" varchar(16) NOT NULL, "id_number" varchar(64) NOT NULL, "extra_demographics" text NULL, "date_deleted" varchar NULL, "picture_password" varchar(8) NULL, CONSTRAINT "kolibriauth_facilityuser_dataset_id_picture_passw_78a7cf39_uniq" UNIQUE (dataset_id, picture_password), CONSTRAINT "kolibriauth_facilityuser_pkey" PRIMARY KEY (id));
CREATE INDEX "kolibriauth_facilityuser_dataset_id_0dab63f9" ON "kolibriauth_facilityuser" (dataset_id);
CREATE INDEX "kolibriauth_facilityuser_facility_id_f602d621" ON "kolibriauth_facilityuser" (facility_id);

CREATE TABLE "kolibriauth_membership" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "collection_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "kolibriauth_membership_pkey" PRIMARY KEY (id), CONSTRAINT "kolibriauth_membership_user_id_collection_id_48b95423_uniq" UNIQUE (user_id, collection_id));
CREATE INDEX "kolibriauth_membership_collection_id_c955dbd2" ON "kolibriauth_membership" (collection_id);
CREATE INDEX "kolibriauth_membership_dataset_id_13e29803" ON "kolibriauth_membership" (dataset_id);
CREATE INDEX "kolibriauth_membership_user_id_79317fa1" ON "kolibriauth_membership" (user_id);

CREATE TABLE "kolibriauth_role" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "kind" varchar(26) NOT NULL, "collection_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "kolibriauth_role_pkey" PRIMARY KEY (id), CONSTRAINT "kolibriauth_role_user_id_collection_id_kind_9c51e8a2_uniq" UNIQUE (user_id, collection_id, kind));
CREATE INDEX "kolibriauth_role_collection_id_1fa9ce6f" ON "kolibriauth_role" (collection_id);
CREATE INDEX "kolibriauth_role_dataset_id_70eb0469" ON "kolibriauth_role" (dataset_id);
CREATE INDEX "kolibriauth_role_user_id_d4014967" ON "kolibriauth_role" (user_id);

CREATE TABLE "kolibriauth_session" ("session_key" varchar(40) NOT NULL, "session_data" text NOT NULL, "expire_date" timestamp with time zone NOT NULL, "user_id" uuid NULL, CONSTRAINT "kolibriauth_session_pkey" PRIMARY KEY (session_key));
CREATE INDEX "kolibriauth_session_expire_date_f84d55e0" ON "kolibriauth_session" (expire_date);
CREATE INDEX "kolibriauth_session_session_key_29255817_like" ON "kolibriauth_session" (session_key varchar_pattern_ops);
CREATE INDEX "kolibriauth_session_user_id_84d2b03f" ON "kolibriauth_session" (user_id);

CREATE TABLE "lessons_individualsyncablelesson" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "lesson_id" uuid NOT NULL, "serialized_lesson" text NOT NULL, "collection_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "lessons_individualsyncablelesson_pkey" PRIMARY KEY (id));
CREATE INDEX "lessons_individualsyncablelesson_collection_id_190c1ec5" ON "lessons_individualsyncablelesson" (collection_id);
CREATE INDEX "lessons_individualsyncablelesson_dataset_id_b329a015" ON "lessons_individualsyncablelesson" (dataset_id);
CREATE INDEX "lessons_individualsyncablelesson_user_id_ddf66bab" ON "lessons_individualsyncablelesson" (user_id);

CREATE TABLE "lessons_lesson" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "title" varchar(50) NOT NULL, "description" varchar(200) NOT NULL, "resources" text NOT NULL, "is_active" boolean NOT NULL, "collection_id" uuid NOT NULL, "created_by_id" uuid NULL, "dataset_id" uuid NOT NULL, "date_created" varchar NOT NULL, CONSTRAINT "lessons_lesson_pkey" PRIMARY KEY (id));
CREATE INDEX "lessons_lesson_collection_id_13b7d040" ON "lessons_lesson" (collection_id);
CREATE INDEX "lessons_lesson_created_by_id_441dbacf" ON "lessons_lesson" (created_by_id);
CREATE INDEX "lessons_lesson_dataset_id_da71bead" ON "lessons_lesson" (dataset_id);

CREATE TABLE "lessons_lessonassignment" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "assigned_by_id" uuid NULL, "collection_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "lesson_id" uuid NOT NULL, CONSTRAINT "lessons_lessonassignment_pkey" PRIMARY KEY (id));
CREATE INDEX "lessons_lessonassignment_assigned_by_id_ed8b2358" ON "lessons_lessonassignment" (assigned_by_id);
CREATE INDEX "lessons_lessonassignment_collection_id_d30ca20a" ON "lessons_lessonassignment" (collection_id);
CREATE INDEX "lessons_lessonassignment_dataset_id_07c252d8" ON "lessons_lessonassignment" (dataset_id);
CREATE INDEX "lessons_lessonassignment_lesson_id_52b19e73" ON "lessons_lessonassignment" (lesson_id);

CREATE TABLE "logger_attemptlog" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "item" varchar(200) NOT NULL, "start_timestamp" varchar NOT NULL, "end_timestamp" varchar NOT NULL, "completion_timestamp" varchar NULL, "time_spent" double precision NOT NULL, "complete" boolean NOT NULL, "correct" double precision NOT NULL, "hinted" boolean NOT NULL, "answer" text NULL, "simple_answer" varchar(200) NOT NULL, "interaction_history" text NOT NULL, "dataset_id" uuid NOT NULL, "masterylog_id" uuid NULL, "sessionlog_id" uuid NOT NULL, "user_id" uuid NULL, "error" boolean NOT NULL, CONSTRAINT "logger_attemptlog_pkey" PRIMARY KEY (id));
CREATE INDEX "logger_attemptlog_dataset_id_3017c88e" ON "logger_attemptlog" (dataset_id);
CREATE INDEX "logger_attemptlog_masterylog_id_d65af27c" ON "logger_attemptlog" (masterylog_id);
CREATE INDEX "logger_attemptlog_sessionlog_id_0a239a1a" ON "logger_attemptlog" (sessionlog_id);
CREATE INDEX "logger_attemptlog_user_id_cd57843f" ON "logger_attemptlog" (user_id);

CREATE TABLE "logger_contentsessionlog" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "content_id" uuid NOT NULL, "channel_id" uuid NULL, "start_timestamp" varchar NOT NULL, "end_timestamp" varchar NULL, "time_spent" double precision NOT NULL, "progress" double precision NOT NULL, "kind" varchar(200) NOT NULL, "extra_fields" text NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NULL, "visitor_id" uuid NULL, CONSTRAINT "logger_contentsessionlog_pkey" PRIMARY KEY (id));
CREATE INDEX "logger_contentsessionlog_content_id_12ef7b71" ON "logger_contentsessionlog" (content_id);
CREATE INDEX "logger_contentsessionlog_dataset_id_9b53cdba" ON "logger_contentsessionlog" (dataset_id);
CREATE INDEX "logger_contentsessionlog_user_id_173ee284" ON "logger_contentsessionlog" (user_id);

CREATE TABLE "logger_contentsummarylog" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "content_id" uuid NOT NULL, "channel_id" uuid NULL, "start_timestamp" varchar NOT NULL, "end_timestamp" varchar NULL, "completion_timestamp" varchar NULL, "time_spent" double precision NOT NULL, "progress" double precision NOT NULL, "kind" varchar(200) NOT NULL, "extra_fields" text NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "logger_contentsummarylog_pkey" PRIMARY KEY (id));
CREATE INDEX "logger_contentsummarylog_content_id_2e21d8cf" ON "logger_contentsummarylog" (content_id);
CREATE INDEX "logger_contentsummarylog_dataset_id_f9a1ad8e" ON "logger_contentsummarylog" (dataset_id);
CREATE INDEX "logger_contentsummarylog_user_id_16aa2b2c" ON "logger_contentsummarylog" (user_id);

CREATE TABLE "logger_examattemptlog" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "item" varchar(200) NOT NULL, "start_timestamp" varchar NOT NULL, "end_timestamp" varchar NOT NULL, "completion_timestamp" varchar NULL, "time_spent" double precision NOT NULL, "complete" boolean NOT NULL, "correct" double precision NOT NULL, "hinted" boolean NOT NULL, "answer" text NULL, "simple_answer" varchar(200) NOT NULL, "interaction_history" text NOT NULL, "content_id" uuid NOT NULL, "dataset_id" uuid NOT NULL, "examlog_id" uuid NOT NULL, "user_id" uuid NULL, "error" boolean NOT NULL, CONSTRAINT "logger_examattemptlog_pkey" PRIMARY KEY (id));
CREATE INDEX "logger_examattemptlog_dataset_id_9f9d1b24" ON "logger_examattemptlog" (dataset_id);
CREATE INDEX "logger_examattemptlog_examlog_id_ad0f674d" ON "logger_examattemptlog" (examlog_id);
CREATE INDEX "logger_examattemptlog_user_id_5442dc41" ON "logger_examattemptlog" (user_id);

CREATE TABLE "logger_examlog" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "closed" boolean NOT NULL, "completion_timestamp" varchar NULL, "dataset_id" uuid NOT NULL, "exam_id" uuid NOT NULL, "user_id" uuid NOT NULL, CONSTRAINT "logger_examlog_pkey" PRIMARY KEY (id));
CREATE INDEX "logger_examlog_dataset_id_13109aa7" ON "logger_examlog" (dataset_id);
CREATE INDEX "logger_examlog_exam_id_41856b8c" ON "logger_examlog" (exam_id);
CREATE INDEX "logger_examlog_user_id_05397f8b" ON "logger_examlog" (user_id);

CREATE TABLE "logger_generatecsvlogrequest" ("id" serial NOT NULL, "selected_start_date" varchar NULL, "selected_end_date" varchar NULL, "date_requested" varchar NOT NULL, "log_type" varchar(7) NOT NULL, "facility_id" uuid NOT NULL, CONSTRAINT "logger_generatecsvlogrequest_pkey" PRIMARY KEY (id));
CREATE INDEX "logger_generatecsvlogrequest_facility_id_9d4a007d" ON "logger_generatecsvlogrequest" (facility_id);

CREATE TABLE "logger_masterylog" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "mastery_criterion" text NOT NULL, "start_timestamp" varchar NOT NULL, "end_timestamp" varchar NULL, "completion_timestamp" varchar NULL, "mastery_level" integer NOT NULL, "complete" boolean NOT NULL, "dataset_id" uuid NOT NULL, "summarylog_id" uuid NOT NULL, "user_id" uuid NOT NULL, "time_spent" double precision NULL, CONSTRAINT "logger_masterylog_pkey" PRIMARY KEY (id));
CREATE INDEX "logger_masterylog_dataset_id_f5b54331" ON "logger_masterylog" (dataset_id);
CREATE INDEX "logger_masterylog_summarylog_id_f2816f59" ON "logger_masterylog" (summarylog_id);
CREATE INDEX "logger_masterylog_user_id_3f58a1cb" ON "logger_masterylog" (user_id);

CREATE TABLE "logger_usersessionlog" ("id" uuid NOT NULL, "_morango_dirty_bit" boolean NOT NULL, "_morango_source_id" varchar(96) NOT NULL, "_morango_partition" varchar(128) NOT NULL, "channels" text NOT NULL, "start_timestamp" varchar NOT NULL, "last_interaction_timestamp" varchar NULL, "pages" text NOT NULL, "dataset_id" uuid NOT NULL, "user_id" uuid NOT NULL, "device_info" varchar(100) NULL, CONSTRAINT "logger_usersessionlog_pkey" PRIMARY KEY (id));
CREATE INDEX "logger_usersessionlog_dataset_id_1a2bbb5f" ON "logger_usersessionlog" (dataset_id);
CREATE INDEX "logger_usersessionlog_user_id_a755b0c2" ON "logger_usersessionlog" (user_id);

CREATE TABLE "morango_buffer" ("id" serial NOT NULL, "serialized" text NOT NULL, "deleted" boolean NOT NULL, "last_saved_instance" uuid NOT NULL, "last_saved_counter" integer NOT NULL, "model_name" varchar(40) NOT NULL, "profile" varchar(40) NOT NULL, "partition" text NOT NULL, "model_uuid" uuid NOT NULL, "transfer_session_id" uuid NOT NULL, "conflicting_serialized_data" text NOT NULL, "_self_ref_fk" varchar(32) NOT NULL, "source_id" varchar(96) NOT NULL, "hard_deleted" boolean NOT NULL, CONSTRAINT "morango_buffer_pkey" PRIMARY KEY (id), CONSTRAINT "morango_buffer_transfer_session_id_model_uuid_2a7288db_uniq" UNIQUE (transfer_session_id, model_uuid));
CREATE INDEX "morango_buffer_transfer_session_id_8e70af5a" ON "morango_buffer" (transfer_session_id);

CREATE TABLE "morango_certificate" ("id" uuid NOT NULL, "profile" varchar(20) NOT NULL, "scope_version" integer NOT NULL, "scope_params" text NOT NULL, "public_key" text NOT NULL, "serialized" text NOT NULL, "signature" text NOT NULL, "private_key" text NULL, "lft" integer NOT NULL, "rght" integer NOT NULL, "tree_id" integer NOT NULL, "level" integer NOT NULL, "parent_id" uuid NULL, "scope_definition_id" varchar(20) NOT NULL, "salt" varchar(32) NOT NULL, CONSTRAINT "morango_certificate_level_check" CHECK ((level >= 0)), CONSTRAINT "morango_certificate_lft_check" CHECK ((lft >= 0)), CONSTRAINT "morango_certificate_pkey" PRIMARY KEY (id), CONSTRAINT "morango_certificate_rght_check" CHECK ((rght >= 0)), CONSTRAINT "morango_certificate_tree_id_check" CHECK ((tree_id >= 0)));
CREATE INDEX "morango_certificate_parent_id_60dedc2b" ON "morango_certificate" (parent_id);
CREATE INDEX "morango_certificate_scope_definition_id_1f75587b" ON "morango_certificate" (scope_definition_id);
CREATE INDEX "morango_certificate_scope_definition_id_1f75587b_like" ON "morango_certificate" (scope_definition_id varchar_pattern_ops);
CREATE INDEX "morango_certificate_tree_id_88a9f83c" ON "morango_certificate" (tree_id);

CREATE TABLE "morango_databaseidmodel" ("id" uuid NOT NULL, "current" boolean NOT NULL, "date_generated" timestamp with time zone NOT NULL, "initial_instance_id" varchar(32) NOT NULL, CONSTRAINT "morango_databaseidmodel_pkey" PRIMARY KEY (id));

CREATE TABLE "morango_databasemaxcounter" ("id" serial NOT NULL, "instance_id" uuid NOT NULL, "counter" integer NOT NULL, "partition" varchar(128) NOT NULL, CONSTRAINT "morango_databasemaxcounter_instance_id_partition_99e4f1fb_uniq" UNIQUE (instance_id, partition), CONSTRAINT "morango_databasemaxcounter_pkey" PRIMARY KEY (id));

CREATE TABLE "morango_deletedmodels" ("id" uuid NOT NULL, "profile" varchar(40) NOT NULL, CONSTRAINT "morango_deletedmodels_pkey" PRIMARY KEY (id));

CREATE TABLE "morango_harddeletedmodels" ("id" uuid NOT NULL, "profile" varchar(40) NOT NULL, CONSTRAINT "morango_harddeletedmodels_pkey" PRIMARY KEY (id));

CREATE TABLE "morango_instanceidmodel" ("id" uuid NOT NULL, "platform" text NOT NULL, "hostname" text NOT NULL, "sysversion" text NOT NULL, "node_id" varchar(20) NOT NULL, "counter" integer NOT NULL, "current" boolean NOT NULL, "db_path" varchar(1000) NOT NULL, "database_id" uuid NOT NULL, "system_id" varchar(100) NOT NULL, CONSTRAINT "morango_instanceidmodel_pkey" PRIMARY KEY (id));
CREATE INDEX "morango_instanceidmodel_database_id_3d1b7c0a" ON "morango_instanceidmodel" (database_id);

CREATE TABLE "morango_nonce" ("id" uuid NOT NULL, "timestamp" timestamp with time zone NOT NULL, "ip" varchar(100) NOT NULL, CONSTRAINT "morango_nonce_pkey" PRIMARY KEY (id));

CREATE TABLE "morango_recordmaxcounter" ("id" serial NOT NULL, "instance_id" uuid NOT NULL, "counter" integer NOT NULL, "store_model_id" uuid NOT NULL, CONSTRAINT "morango_recordmaxcounter_pkey" PRIMARY KEY (id), CONSTRAINT "morango_recordmaxcounter_store_model_id_instance__d478818f_uniq" UNIQUE (store_model_id, instance_id));
CREATE INDEX "morango_recordmaxcounter_store_model_id_2a91327d" ON "morango_recordmaxcounter" (store_model_id);

CREATE TABLE "morango_recordmaxcounterbuffer" ("id" serial NOT NULL, "instance_id" uuid NOT NULL, "counter" integer NOT NULL, "model_uuid" uuid NOT NULL, "transfer_session_id" uuid NOT NULL, CONSTRAINT "morango_recordmaxcounterbuffer_pkey" PRIMARY KEY (id));
CREATE INDEX "morango_recordmaxcounterbuffer_model_uuid_27589dbd" ON "morango_recordmaxcounterbuffer" (model_uuid);
CREATE INDEX "morango_recordmaxcounterbuffer_transfer_session_id_1e48e3dd" ON "morango_recordmaxcounterbuffer" (transfer_session_id);

CREATE TABLE "morango_scopedefinition" ("profile" varchar(20) NOT NULL, "version" integer NOT NULL, "id" varchar(20) NOT NULL, "description" text NOT NULL, "read_filter_template" text NOT NULL, "write_filter_template" text NOT NULL, "read_write_filter_template" text NOT NULL, "primary_scope_param_key" varchar(20) NOT NULL, CONSTRAINT "morango_scopedefinition_pkey" PRIMARY KEY (id));
CREATE INDEX "morango_scopedefinition_id_e8811758_like" ON "morango_scopedefinition" (id varchar_pattern_ops);

CREATE TABLE "morango_sharedkey" ("id" serial NOT NULL, "public_key" text NOT NULL, "private_key" text NOT NULL, "current" boolean NOT NULL, CONSTRAINT "morango_sharedkey_pkey" PRIMARY KEY (id));

CREATE TABLE "morango_store" ("serialized" text NOT NULL, "deleted" boolean NOT NULL, "last_saved_instance" uuid NOT NULL, "last_saved_counter" integer NOT NULL, "model_name" varchar(40) NOT NULL, "profile" varchar(40) NOT NULL, "partition" text NOT NULL, "id" uuid NOT NULL, "conflicting_serialized_data" text NOT NULL, "_self_ref_fk" varchar(32) NOT NULL, "dirty_bit" boolean NOT NULL, "source_id" varchar(96) NOT NULL, "hard_deleted" boolean NOT NULL, "deserialization_error" text NULL, "last_transfer_session_id" uuid NULL, "deserialization_exception" varchar(255) NULL, CONSTRAINT "morango_store_pkey" PRIMARY KEY (id));
CREATE INDEX "idx_morango_deserialize" ON "morango_store" (profile, model_name, partition, dirty_bit) WHERE dirty_bit;
CREATE INDEX "idx_morango_store_partition" ON "morango_store" (partition);
CREATE INDEX "morango_store_last_transfer_session_id_258a67a1" ON "morango_store" (last_transfer_session_id);

CREATE TABLE "morango_syncsession" ("id" uuid NOT NULL, "start_timestamp" timestamp with time zone NOT NULL, "last_activity_timestamp" timestamp with time zone NOT NULL, "active" boolean NOT NULL, "connection_kind" varchar(10) NOT NULL, "connection_path" varchar(1000) NOT NULL, "is_server" boolean NOT NULL, "client_instance_json" text NOT NULL, "client_ip" varchar(100) NOT NULL, "profile" varchar(40) NOT NULL, "server_instance_json" text NOT NULL, "server_ip" varchar(100) NOT NULL, "client_certificate_id" uuid NULL, "server_certificate_id" uuid NULL, "extra_fields" text NOT NULL, "process_id" integer NULL, "client_instance_id" uuid NULL, "server_instance_id" uuid NULL, CONSTRAINT "morango_syncsession_pkey" PRIMARY KEY (id));
CREATE INDEX "morango_syncsession_client_certificate_id_507e0d5d" ON "morango_syncsession" (client_certificate_id);
CREATE INDEX "morango_syncsession_server_certificate_id_52bf728f" ON "morango_syncsession" (server_certificate_id);

CREATE TABLE "morango_transfersession" ("id" uuid NOT NULL, "filter" text NOT NULL, "push" boolean NOT NULL, "active" boolean NOT NULL, "records_total" integer NULL, "sync_session_id" uuid NOT NULL, "last_activity_timestamp" timestamp with time zone NOT NULL, "client_fsic" text NOT NULL, "records_transferred" integer NOT NULL, "server_fsic" text NOT NULL, "start_timestamp" timestamp with time zone NOT NULL, "bytes_received" bigint NULL, "bytes_sent" bigint NULL, "transfer_stage" varchar(20) NULL, "transfer_stage_status" varchar(20) NULL, CONSTRAINT "morango_transfersession_pkey" PRIMARY KEY (id));
CREATE INDEX "morango_transfersession_sync_session_id_0455b5bd" ON "morango_transfersession" (sync_session_id);

CREATE TABLE "notifications_learnerprogressnotification" ("id" serial NOT NULL, "notification_object" varchar(200) NOT NULL, "notification_event" varchar(200) NOT NULL, "user_id" uuid NOT NULL, "classroom_id" uuid NOT NULL, "contentnode_id" uuid NULL, "lesson_id" uuid NULL, "quiz_id" uuid NULL, "reason" varchar(200) NOT NULL, "timestamp" varchar NOT NULL, "quiz_num_correct" integer NULL, "quiz_num_answered" integer NULL, "assignment_collections" text NULL, "course_session_id" uuid NULL, CONSTRAINT "notifications_learnerprogressnotification_pkey" PRIMARY KEY (id));
CREATE INDEX "notificatio_timesta_8ba8b0_idx" ON "notifications_learnerprogressnotification" ("timestamp" DESC);

CREATE TABLE "notifications_notificationslog" ("id" serial NOT NULL, "coach_id" uuid NOT NULL, "timestamp" varchar NOT NULL, CONSTRAINT "notifications_notificationslog_pkey" PRIMARY KEY (id));

ALTER TABLE "analytics_pingbacknotificationdismissed" ADD CONSTRAINT "analytics_pingbackno_notification_id_01d1ee67_fk_analytics" FOREIGN KEY (notification_id) REFERENCES analytics_pingbacknotification(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "analytics_pingbacknotificationdismissed" ADD CONSTRAINT "analytics_pingbackno_user_id_99b20e1e_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "attendance_attendancerecord" ADD CONSTRAINT "attendance_attendanc_attendance_session_i_ee9a8d8e_fk_attendanc" FOREIGN KEY (attendance_session_id) REFERENCES attendance_attendancesession(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "attendance_attendancerecord" ADD CONSTRAINT "attendance_attendanc_dataset_id_275474e3_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "attendance_attendancerecord" ADD CONSTRAINT "attendance_attendanc_user_id_1bb6e31f_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "attendance_attendancesession" ADD CONSTRAINT "attendance_attendanc_collection_id_386c8b1e_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "attendance_attendancesession" ADD CONSTRAINT "attendance_attendanc_created_by_id_8831185e_fk_kolibriau" FOREIGN KEY (created_by_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "attendance_attendancesession" ADD CONSTRAINT "attendance_attendanc_dataset_id_f50705a4_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "auth_group_permissions" ADD CONSTRAINT "auth_group_permissio_permission_id_84c5c92e_fk_auth_perm" FOREIGN KEY (permission_id) REFERENCES auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "auth_group_permissions" ADD CONSTRAINT "auth_group_permissions_group_id_b120cbf9_fk_auth_group_id" FOREIGN KEY (group_id) REFERENCES auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "auth_permission" ADD CONSTRAINT "auth_permission_content_type_id_2f476e4b_fk_django_co" FOREIGN KEY (content_type_id) REFERENCES django_content_type(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "bookmarks_bookmark" ADD CONSTRAINT "bookmarks_bookmark_dataset_id_baf7c629_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "bookmarks_bookmark" ADD CONSTRAINT "bookmarks_bookmark_user_id_a26bf17c_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_assessmentmetadata" ADD CONSTRAINT "content_assessmentme_contentnode_id_19cbc70a_fk_content_c" FOREIGN KEY (contentnode_id) REFERENCES content_contentnode(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_channelmetadata" ADD CONSTRAINT "content_channelmetad_root_id_ba963469_fk_content_c" FOREIGN KEY (root_id) REFERENCES content_contentnode(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_channelmetadata_included_languages" ADD CONSTRAINT "content_channelmetad_channelmetadata_id_bd8ec7ef_fk_content_c" FOREIGN KEY (channelmetadata_id) REFERENCES content_channelmetadata(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_channelmetadata_included_languages" ADD CONSTRAINT "content_channelmetad_language_id_7044f65d_fk_content_l" FOREIGN KEY (language_id) REFERENCES content_language(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_contentnode" ADD CONSTRAINT "content_contentnode_lang_id_600d594b_fk_content_language_id" FOREIGN KEY (lang_id) REFERENCES content_language(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_contentnode" ADD CONSTRAINT "content_contentnode_parent_id_47178783_fk_content_c" FOREIGN KEY (parent_id) REFERENCES content_contentnode(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_contentnode_has_prerequisite" ADD CONSTRAINT "content_contentnode__from_contentnode_id_1085c145_fk_content_c" FOREIGN KEY (from_contentnode_id) REFERENCES content_contentnode(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_contentnode_has_prerequisite" ADD CONSTRAINT "content_contentnode__to_contentnode_id_5561f92c_fk_content_c" FOREIGN KEY (to_contentnode_id) REFERENCES content_contentnode(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_contentnode_related" ADD CONSTRAINT "content_contentnode__from_contentnode_id_f56e3999_fk_content_c" FOREIGN KEY (from_contentnode_id) REFERENCES content_contentnode(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_contentnode_related" ADD CONSTRAINT "content_contentnode__to_contentnode_id_42e82421_fk_content_c" FOREIGN KEY (to_contentnode_id) REFERENCES content_contentnode(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_contentnode_tags" ADD CONSTRAINT "content_contentnode__contentnode_id_4ea196dd_fk_content_c" FOREIGN KEY (contentnode_id) REFERENCES content_contentnode(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_contentnode_tags" ADD CONSTRAINT "content_contentnode__contenttag_id_9518e093_fk_content_c" FOREIGN KEY (contenttag_id) REFERENCES content_contenttag(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_contentrequest" ADD CONSTRAINT "content_contentreque_facility_id_85cdb9e0_fk_kolibriau" FOREIGN KEY (facility_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_file" ADD CONSTRAINT "content_file_contentnode_id_d4089e6e_fk_content_contentnode_id" FOREIGN KEY (contentnode_id) REFERENCES content_contentnode(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_file" ADD CONSTRAINT "content_file_lang_id_364540cd_fk_content_language_id" FOREIGN KEY (lang_id) REFERENCES content_language(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "content_file" ADD CONSTRAINT "content_file_local_file_id_9780c2ab_fk_content_localfile_id" FOREIGN KEY (local_file_id) REFERENCES content_localfile(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_coursesession" ADD CONSTRAINT "courses_coursesessio_collection_id_fdac6d7b_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_coursesession" ADD CONSTRAINT "courses_coursesessio_created_by_id_e5fd1ccb_fk_kolibriau" FOREIGN KEY (created_by_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_coursesession" ADD CONSTRAINT "courses_coursesessio_dataset_id_25fc5112_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_coursesessionassignment" ADD CONSTRAINT "courses_coursesessio_assigned_by_id_4e3b553a_fk_kolibriau" FOREIGN KEY (assigned_by_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_coursesessionassignment" ADD CONSTRAINT "courses_coursesessio_collection_id_96e8bcfb_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_coursesessionassignment" ADD CONSTRAINT "courses_coursesessio_course_session_id_63856105_fk_courses_c" FOREIGN KEY (course_session_id) REFERENCES courses_coursesession(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_coursesessionassignment" ADD CONSTRAINT "courses_coursesessio_dataset_id_b1e1ce14_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_unittestassignment" ADD CONSTRAINT "courses_unittestassi_activated_by_id_f96fbc35_fk_kolibriau" FOREIGN KEY (activated_by_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_unittestassignment" ADD CONSTRAINT "courses_unittestassi_collection_id_f397f727_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_unittestassignment" ADD CONSTRAINT "courses_unittestassi_course_session_id_63cf8395_fk_courses_c" FOREIGN KEY (course_session_id) REFERENCES courses_coursesession(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "courses_unittestassignment" ADD CONSTRAINT "courses_unittestassi_dataset_id_ebdea473_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "device_devicepermissions" ADD CONSTRAINT "device_devicepermiss_user_id_7bb0f5a7_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "device_devicesettings" ADD CONSTRAINT "device_devicesetting_default_facility_id_8937e0b7_fk_kolibriau" FOREIGN KEY (default_facility_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "device_learnerdevicestatus" ADD CONSTRAINT "device_learnerdevice_dataset_id_f6c55adc_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "device_learnerdevicestatus" ADD CONSTRAINT "device_learnerdevice_user_id_348765fa_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "device_osuser" ADD CONSTRAINT "device_osuser_user_id_e0e6477c_fk_kolibriauth_facilityuser_id" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "device_usersyncstatus" ADD CONSTRAINT "device_usersyncstatu_sync_session_id_f1f21f58_fk_morango_s" FOREIGN KEY (sync_session_id) REFERENCES morango_syncsession(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "device_usersyncstatus" ADD CONSTRAINT "device_usersyncstatu_user_id_a6f95223_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "discovery_pinneddevice" ADD CONSTRAINT "discovery_pinneddevi_user_id_468c983d_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_draftexam" ADD CONSTRAINT "exams_draftexam_collection_id_89be964c_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_draftexam" ADD CONSTRAINT "exams_draftexam_creator_id_30383308_fk_kolibriau" FOREIGN KEY (creator_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_exam" ADD CONSTRAINT "exams_exam_collection_id_9dc0b187_fk_kolibriauth_collection_id" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_exam" ADD CONSTRAINT "exams_exam_creator_id_37d1b2e5_fk_kolibriauth_facilityuser_id" FOREIGN KEY (creator_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_exam" ADD CONSTRAINT "exams_exam_dataset_id_7dff1bad_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_examassignment" ADD CONSTRAINT "exams_examassignment_assigned_by_id_53aa193a_fk_kolibriau" FOREIGN KEY (assigned_by_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_examassignment" ADD CONSTRAINT "exams_examassignment_collection_id_90ec6a7a_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_examassignment" ADD CONSTRAINT "exams_examassignment_dataset_id_3200aa09_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_examassignment" ADD CONSTRAINT "exams_examassignment_exam_id_d7c499da_fk_exams_exam_id" FOREIGN KEY (exam_id) REFERENCES exams_exam(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_individualsyncableexam" ADD CONSTRAINT "exams_individualsync_collection_id_00d1fd6f_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_individualsyncableexam" ADD CONSTRAINT "exams_individualsync_dataset_id_d3570826_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "exams_individualsyncableexam" ADD CONSTRAINT "exams_individualsync_user_id_28fbd7b0_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_collection" ADD CONSTRAINT "kolibriauth_collecti_dataset_id_5689c7d8_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_collection" ADD CONSTRAINT "kolibriauth_collecti_parent_id_1561ec4a_fk_kolibriau" FOREIGN KEY (parent_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_facilityuser" ADD CONSTRAINT "kolibriauth_facility_dataset_id_0dab63f9_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_facilityuser" ADD CONSTRAINT "kolibriauth_facility_facility_id_f602d621_fk_kolibriau" FOREIGN KEY (facility_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_membership" ADD CONSTRAINT "kolibriauth_membersh_collection_id_c955dbd2_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_membership" ADD CONSTRAINT "kolibriauth_membersh_dataset_id_13e29803_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_membership" ADD CONSTRAINT "kolibriauth_membersh_user_id_79317fa1_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_role" ADD CONSTRAINT "kolibriauth_role_collection_id_1fa9ce6f_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_role" ADD CONSTRAINT "kolibriauth_role_dataset_id_70eb0469_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "kolibriauth_role" ADD CONSTRAINT "kolibriauth_role_user_id_d4014967_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_individualsyncablelesson" ADD CONSTRAINT "lessons_individualsy_collection_id_190c1ec5_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_individualsyncablelesson" ADD CONSTRAINT "lessons_individualsy_dataset_id_b329a015_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_individualsyncablelesson" ADD CONSTRAINT "lessons_individualsy_user_id_ddf66bab_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_lesson" ADD CONSTRAINT "lessons_lesson_collection_id_13b7d040_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_lesson" ADD CONSTRAINT "lessons_lesson_created_by_id_441dbacf_fk_kolibriau" FOREIGN KEY (created_by_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_lesson" ADD CONSTRAINT "lessons_lesson_dataset_id_da71bead_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_lessonassignment" ADD CONSTRAINT "lessons_lessonassign_assigned_by_id_ed8b2358_fk_kolibriau" FOREIGN KEY (assigned_by_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_lessonassignment" ADD CONSTRAINT "lessons_lessonassign_collection_id_d30ca20a_fk_kolibriau" FOREIGN KEY (collection_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_lessonassignment" ADD CONSTRAINT "lessons_lessonassign_dataset_id_07c252d8_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "lessons_lessonassignment" ADD CONSTRAINT "lessons_lessonassign_lesson_id_52b19e73_fk_lessons_l" FOREIGN KEY (lesson_id) REFERENCES lessons_lesson(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_attemptlog" ADD CONSTRAINT "logger_attemptlog_dataset_id_3017c88e_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_attemptlog" ADD CONSTRAINT "logger_attemptlog_masterylog_id_d65af27c_fk_logger_ma" FOREIGN KEY (masterylog_id) REFERENCES logger_masterylog(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_attemptlog" ADD CONSTRAINT "logger_attemptlog_sessionlog_id_0a239a1a_fk_logger_co" FOREIGN KEY (sessionlog_id) REFERENCES logger_contentsessionlog(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_attemptlog" ADD CONSTRAINT "logger_attemptlog_user_id_cd57843f_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_contentsessionlog" ADD CONSTRAINT "logger_contentsessio_dataset_id_9b53cdba_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_contentsessionlog" ADD CONSTRAINT "logger_contentsessio_user_id_173ee284_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_contentsummarylog" ADD CONSTRAINT "logger_contentsummar_dataset_id_f9a1ad8e_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_contentsummarylog" ADD CONSTRAINT "logger_contentsummar_user_id_16aa2b2c_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_examattemptlog" ADD CONSTRAINT "logger_examattemptlo_dataset_id_9f9d1b24_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_examattemptlog" ADD CONSTRAINT "logger_examattemptlo_user_id_5442dc41_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_examattemptlog" ADD CONSTRAINT "logger_examattemptlog_examlog_id_ad0f674d_fk_logger_examlog_id" FOREIGN KEY (examlog_id) REFERENCES logger_examlog(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_examlog" ADD CONSTRAINT "logger_examlog_dataset_id_13109aa7_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_examlog" ADD CONSTRAINT "logger_examlog_exam_id_41856b8c_fk_exams_exam_id" FOREIGN KEY (exam_id) REFERENCES exams_exam(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_examlog" ADD CONSTRAINT "logger_examlog_user_id_05397f8b_fk_kolibriauth_facilityuser_id" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_generatecsvlogrequest" ADD CONSTRAINT "logger_generatecsvlo_facility_id_9d4a007d_fk_kolibriau" FOREIGN KEY (facility_id) REFERENCES kolibriauth_collection(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_masterylog" ADD CONSTRAINT "logger_masterylog_dataset_id_f5b54331_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_masterylog" ADD CONSTRAINT "logger_masterylog_summarylog_id_f2816f59_fk_logger_co" FOREIGN KEY (summarylog_id) REFERENCES logger_contentsummarylog(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_masterylog" ADD CONSTRAINT "logger_masterylog_user_id_3f58a1cb_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_usersessionlog" ADD CONSTRAINT "logger_usersessionlo_dataset_id_1a2bbb5f_fk_kolibriau" FOREIGN KEY (dataset_id) REFERENCES kolibriauth_facilitydataset(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "logger_usersessionlog" ADD CONSTRAINT "logger_usersessionlo_user_id_a755b0c2_fk_kolibriau" FOREIGN KEY (user_id) REFERENCES kolibriauth_facilityuser(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "morango_buffer" ADD CONSTRAINT "morango_buffer_transfer_session_id_8e70af5a_fk_morango_t" FOREIGN KEY (transfer_session_id) REFERENCES morango_transfersession(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "morango_certificate" ADD CONSTRAINT "morango_certificate_parent_id_60dedc2b_fk_morango_c" FOREIGN KEY (parent_id) REFERENCES morango_certificate(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "morango_certificate" ADD CONSTRAINT "morango_certificate_scope_definition_id_1f75587b_fk_morango_s" FOREIGN KEY (scope_definition_id) REFERENCES morango_scopedefinition(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "morango_instanceidmodel" ADD CONSTRAINT "morango_instanceidmo_database_id_3d1b7c0a_fk_morango_d" FOREIGN KEY (database_id) REFERENCES morango_databaseidmodel(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "morango_recordmaxcounter" ADD CONSTRAINT "morango_recordmaxcou_store_model_id_2a91327d_fk_morango_s" FOREIGN KEY (store_model_id) REFERENCES morango_store(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "morango_recordmaxcounterbuffer" ADD CONSTRAINT "morango_recordmaxcou_transfer_session_id_1e48e3dd_fk_morango_t" FOREIGN KEY (transfer_session_id) REFERENCES morango_transfersession(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "morango_syncsession" ADD CONSTRAINT "morango_syncsession_client_certificate_i_507e0d5d_fk_morango_c" FOREIGN KEY (client_certificate_id) REFERENCES morango_certificate(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "morango_syncsession" ADD CONSTRAINT "morango_syncsession_server_certificate_i_52bf728f_fk_morango_c" FOREIGN KEY (server_certificate_id) REFERENCES morango_certificate(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "morango_transfersession" ADD CONSTRAINT "morango_transfersess_sync_session_id_0455b5bd_fk_morango_s" FOREIGN KEY (sync_session_id) REFERENCES morango_syncsession(id) DEFERRABLE INITIALLY DEFERRED;
