//! The names of the 99 tools which, with `add`, make a server of a hundred.

/// Calls the macro `$make` with the 99 names: an attribute on an `impl` block or a function has to see each of them
/// written out.
macro_rules! with_filler_names {
    ($make:ident) => {
        $make! {
            tool_01 tool_02 tool_03 tool_04 tool_05 tool_06 tool_07 tool_08 tool_09 tool_10
            tool_11 tool_12 tool_13 tool_14 tool_15 tool_16 tool_17 tool_18 tool_19 tool_20
            tool_21 tool_22 tool_23 tool_24 tool_25 tool_26 tool_27 tool_28 tool_29 tool_30
            tool_31 tool_32 tool_33 tool_34 tool_35 tool_36 tool_37 tool_38 tool_39 tool_40
            tool_41 tool_42 tool_43 tool_44 tool_45 tool_46 tool_47 tool_48 tool_49 tool_50
            tool_51 tool_52 tool_53 tool_54 tool_55 tool_56 tool_57 tool_58 tool_59 tool_60
            tool_61 tool_62 tool_63 tool_64 tool_65 tool_66 tool_67 tool_68 tool_69 tool_70
            tool_71 tool_72 tool_73 tool_74 tool_75 tool_76 tool_77 tool_78 tool_79 tool_80
            tool_81 tool_82 tool_83 tool_84 tool_85 tool_86 tool_87 tool_88 tool_89 tool_90
            tool_91 tool_92 tool_93 tool_94 tool_95 tool_96 tool_97 tool_98 tool_99
        }
    };
}
pub(crate) use with_filler_names;
