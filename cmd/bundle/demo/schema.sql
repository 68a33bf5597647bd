CREATE TABLE content_language (
	id varchar(14) NOT NULL PRIMARY KEY, lang_code varchar(3) NOT NULL, lang_subcode varchar(10),
	lang_name varchar(100), lang_direction varchar(3) NOT NULL
);
CREATE TABLE content_contenttag (id char(32) NOT NULL PRIMARY KEY, tag_name varchar(30) NOT NULL);
CREATE TABLE content_contentnode (
	id char(32) NOT NULL PRIMARY KEY, parent_id char(32) REFERENCES content_contentnode (id),
	license_name varchar(50), license_description text, title varchar(200) NOT NULL, coach_content bool NOT NULL,
	content_id char(32) NOT NULL, channel_id char(32) NOT NULL, description text, sort_order real,
	license_owner varchar(200) NOT NULL, author varchar(200) NOT NULL, kind varchar(200) NOT NULL, available bool NOT NULL,
	lang_id varchar(14) REFERENCES content_language (id), options text, grade_levels text, resource_types text,
	learning_activities text, accessibility_labels text, categories text, learner_needs text, duration integer,
	lft integer NOT NULL, rght integer NOT NULL, tree_id integer NOT NULL, level integer NOT NULL
);
CREATE TABLE content_contentnode_has_prerequisite (
	id integer NOT NULL PRIMARY KEY AUTOINCREMENT, from_contentnode_id char(32) NOT NULL REFERENCES content_contentnode (id),
	to_contentnode_id char(32) NOT NULL REFERENCES content_contentnode (id)
);
CREATE TABLE content_contentnode_related (
	id integer NOT NULL PRIMARY KEY AUTOINCREMENT, from_contentnode_id char(32) NOT NULL REFERENCES content_contentnode (id),
	to_contentnode_id char(32) NOT NULL REFERENCES content_contentnode (id)
);
CREATE TABLE content_contentnode_tags (
	id integer NOT NULL PRIMARY KEY AUTOINCREMENT, contentnode_id char(32) NOT NULL REFERENCES content_contentnode (id),
	contenttag_id char(32) NOT NULL REFERENCES content_contenttag (id)
);
CREATE TABLE content_localfile (
	id varchar(32) NOT NULL PRIMARY KEY, extension varchar(40) NOT NULL, available bool NOT NULL, file_size integer
);
CREATE TABLE content_file (
	id char(32) NOT NULL PRIMARY KEY, local_file_id varchar(32) NOT NULL REFERENCES content_localfile (id),
	contentnode_id char(32) NOT NULL REFERENCES content_contentnode (id), preset varchar(150) NOT NULL,
	lang_id varchar(14) REFERENCES content_language (id), supplementary bool NOT NULL, thumbnail bool NOT NULL, priority integer
);
CREATE TABLE content_assessmentmetadata (
	id char(32) NOT NULL PRIMARY KEY, contentnode_id char(32) NOT NULL REFERENCES content_contentnode (id),
	assessment_item_ids text NOT NULL, number_of_assessments integer NOT NULL, mastery_model text NOT NULL,
	randomize bool NOT NULL, is_manipulable bool NOT NULL
);
CREATE TABLE content_channelmetadata (
	id char(32) NOT NULL PRIMARY KEY, name varchar(200) NOT NULL, description varchar(400) NOT NULL, tagline varchar(150),
	author varchar(400) NOT NULL, version integer NOT NULL, thumbnail text NOT NULL, last_updated varchar,
	min_schema_version varchar(50) NOT NULL, root_id char(32) NOT NULL REFERENCES content_contentnode (id)
);
