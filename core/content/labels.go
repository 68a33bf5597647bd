package content

// labelField is a field of a node that holds labels, and its labels in the order of their bits in
// the column <field>_bitmask_0. Names and order are part of the database's format
// (le_utils/constants/labels, kolibri/core/content/utils/search.py).
type labelField struct {
	name   string
	labels []string
}

// labelFields are the fields that can be searched by label.
var labelFields = [len(labelMasks{})]labelField{
	{"learning_activities", []string{
		"UXADWcXZ", "#j8L0eq3", "mkA1R3NU", "VwRCom7G", "wA01urpi", "3dSeJhqs", "UD5UGM0z",
	}},
	{"categories", []string{
		"d&WXdXWF.qs0Xlaxq.0t5msbL5", "d&WXdXWF.K80UMYnW.ViBlbQR&", "d&WXdXWF.qs0Xlaxq.nG96nHDc",
		"d&WXdXWF.5QAjgfv7", "d&WXdXWF.i1IdaNwr.mjSF4QlF", "d&WXdXWF.i1IdaNwr.uErN4PdS",
		"d&WXdXWF.qs0Xlaxq.8rJ57ht6", "d&WXdXWF.i1IdaNwr.#r5ocgid", "d&WXdXWF.K80UMYnW.F863vKiF",
		"d&WXdXWF.e#RTW9E#", "PbGoe2MV.J7CU1IxN", "PbGoe2MV", "d&WXdXWF.5QAjgfv7.BUMJJBnS", "BCG3&slG.wZ3EAedB",
		"PbGoe2MV.EHcbjuKq", "d&WXdXWF.5QAjgfv7.XsWznP4o", "d&WXdXWF.i1IdaNwr.zbDzxDE7", "PbGoe2MV.kyxTNsRS",
		"PbGoe2MV.tS7WKnZ7", "PbGoe2MV.HGIc9sZq", "ziJ6PCuU", "BCG3&slG", "BCG3&slG.0&d0qTqS",
		"d&WXdXWF.qs0Xlaxq.lb7ELcK5", "ziJ6PCuU.RLfhp37t", "d&WXdXWF.zWtcJ&F2", "l7DsPDlm.ISEXeZt&.pRvOzJTE",
		"d&WXdXWF.JDUfJNXc", "BCG3&slG.fP2j70bj", "ziJ6PCuU.lOBPr5ix", "BCG3&slG.HLo9TbNq",
		"d&WXdXWF.kHKJ&PbV.DJLBbaEk", "d&WXdXWF.kHKJ&PbV.YMBXStib", "d&WXdXWF.qs0Xlaxq",
		"d&WXdXWF.e#RTW9E#.8ZoaPsVW", "PbGoe2MV.UOTL#KIV", "PbGoe2MV.d8&gCo2N", "d&WXdXWF.5QAjgfv7.u0aKjT4i",
		"BCG3&slG.Tsyej9ta", "d&WXdXWF.i1IdaNwr.r#wbt#jF", "d&WXdXWF.K80UMYnW.K72&pITr", "l7DsPDlm.#N2VymZo",
		"d&WXdXWF.e#RTW9E#.CfnlTDZ#", "PbGoe2MV.kivAZaeX", "d&WXdXWF.kHKJ&PbV", "d&WXdXWF.kHKJ&PbV.r7RxB#9t",
		"d&WXdXWF", "d&WXdXWF.i1IdaNwr", "l7DsPDlm.ISEXeZt&.&1WpYE&n", "d&WXdXWF.K80UMYnW",
		"d&WXdXWF.K80UMYnW.75WBu1ZS", "d&WXdXWF.qs0Xlaxq.jNm15RLB", "l7DsPDlm.ISEXeZt&",
		"l7DsPDlm.ISEXeZt&.1JfIbP&N", "d&WXdXWF.5QAjgfv7.4LskOFXj", "d&WXdXWF.e#RTW9E#.P7s8FxQ8", "l7DsPDlm",
		"d&WXdXWF.kHKJ&PbV.KFJOCr&6",
	}},
	{"grade_levels", []string{
		"H64ZOHfi", "wnarlxKo", "eLt0Mbu4", "FOhG0ib", "ZrgBU73s", "FYxwbxts", "BkGYi3lD", "ZEjiwvOb", "Z#97dvst",
	}},
	{"accessibility_labels", []string{
		"Lb0tb9VC", "LNqKSN9j", "WnIhbgkY", "uF4CI2wP", "Dr4cVXkc", "Kxx#meDW",
	}},
	{"learner_needs", []string{
		"sccgQZDd.sAQsauuo", "Hsw9k7Bz.G4h2UBuK", "Hsw9k7Bz", "Hsw9k7Bz.#lLv#LB7", "Hsw9k7Bz.OFIbUAK9",
		"lsoCk5Uy.MKIzZKDO", "lsoCk5Uy", "sccgQZDd", "Hsw9k7Bz.dbXQw755", "lsoCk5Uy.H&MVs7S#",
	}},
}

// labelMasks are bits of the labels of each field.
type labelMasks [5]int64

func (f labelField) column() string { return f.name + "_bitmask_0" }

// mask joins the bits of those labels that the field knows.
func (f labelField) mask(labels []string) (bits int64) {
	for i, known := range f.labels {
		for _, label := range labels {
			if label == known {
				bits |= 1 << i
			}
		}
	}
	return bits
}

// named are the labels whose bits are set.
func (f labelField) named(bits int64) []string {
	out := []string{}
	for i, label := range f.labels {
		if bits&(1<<i) != 0 {
			out = append(out, label)
		}
	}
	return out
}
