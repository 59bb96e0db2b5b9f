-- The tables of MOSAIQ that the queries read, as the simulated clinic fills them. Names are those of a real one; types of
-- Ident, Patient, Staff, Site, TxField, TxFieldPoint, TrackTreatment, Chklist and QCLTask too (PyMedPhys' types_map.toml,
-- Apache-2.0), of the other tables they are inferred. Lengths of texts are not public.
-- No foreign keys and no NOT NULL: readers are tested against what a row may say, not against what SQLite refuses.

CREATE TABLE Ident (
    IDENT_ID int, IDENT_Set_ID int, Version smallint, Create_DtTm datetime, Create_ID int, Edit_DtTm datetime,
    Edit_ID int, Sanct_DtTm datetime, Sanct_ID int, Sanct_DtTm2 datetime, Sanct_Id2 int, Status_Inactive bit,
    Start_DtTm datetime, End_DtTm datetime, Pat_Id1 int, IDA varchar, IDB varchar, IDB_Inst_ID int, IDC varchar,
    IDC_Inst_Id int, IDD varchar, IDD_Inst_Id int, IDE varchar, IDE_Inst_Id int, IDF varchar, IDF_Inst_Id int,
    Trace_Status varchar, PortalID varchar, PortalGenerate_DtTm datetime, PortalActivate_DtTm datetime, RowVers
    varbinary, PRIMARY KEY (IDENT_ID)
);

CREATE TABLE Patient (
    Pat_ID1 int, Create_DtTm datetime, Create_ID int, Birth_DtTm datetime, Edit_DtTm datetime, Edit_ID int,
    Sanct_DtTm datetime, Sanct_ID int, Sanct_DtTm2 datetime, Sanct_Id2 int, Note_ID int, Salutation varchar,
    SS_Number varchar, Last_Name varchar, First_Name varchar, MIddle_Name varchar, Suffix varchar, Alias_Name
    varchar, Stmt_Cycle smallint, Use_Alternate_Stmt tinyint, Clin_Status smallint, Inactive bit, Restricted
    tinyint, Status_Private bit, Maiden_Name varchar, Last_Name_Secondary varchar, First_Name_Secondary varchar,
    Middle_Name_Secondary varchar, Last_Name_SingleByte varchar, First_Name_SingleByte varchar,
    Middle_Name_SingleByte varchar, MultipleBirth_PRO_ID int, MultipleBirthOrder smallint, MotherMaidenName
    varchar, RowVers varbinary, PRIMARY KEY (Pat_ID1)
);

CREATE TABLE Admin (
    Pat_ID1 int, Gender varchar, Attending_Md_Id int, Ref_Md_ID int, Pri_Md_ID int, Pat_Home_Phone varchar,
    Pat_CellPhone varchar, Pat_Work_Phone varchar, Pat_Work_Phone_Ex varchar, Pat_EMail varchar, Pat_Adr1
    varchar, Pat_Adr2 varchar, Pat_City varchar, Pat_State varchar, Pat_County varchar, Pat_Country varchar,
    Pat_Postal varchar, Language_Spoken_Pro_ID int, Ethnicity_PRO_ID int, Race varchar, Expired_DtTm datetime,
    IsInPatient bit, Nurse_Unit varchar, PRIMARY KEY (Pat_ID1)
);

CREATE TABLE Staff (
    Staff_ID int, PNP_ID int, Initials char, User_Name char, PasswordBytes varbinary, Code char, View1 int,
    Modify1 int, Approve1 int, View2 int, Modify2 int, Approve2 int, View3 int, Modify3 int, Approve3 int, View4
    int, Modify4 int, Approve4 int, IsGlobal bit, TieredSecurity1 bigint, Ledger_Security int,
    Ledger_Security_All bit, View5 int, Modify5 int, Approve5 int, Create_DtTm datetime, Create_ID int,
    Edit_DtTm datetime, Edit_ID int, Sanct_DtTm datetime, Sanct_ID int, Note_ID int, Type varchar, Category int,
    Sch_Duration int, Clinic_ID varchar, Overrides int, Bill_Credentials varchar, Other_Credentials varchar,
    Acc_Assign bit, Last_Name char, First_Name varchar, Mdl_Initial char, Suffix varchar, Birth_DtTm datetime,
    Gender varchar, Adr1 varchar, Adr2 varchar, City varchar, State_Province varchar, Postal varchar, Country
    varchar, Work_Phone varchar, Work_Phone_Ex varchar, Fax varchar, Pager varchar, Pager_Ex varchar, CellPhone
    varchar, EMail varchar, Home_Phone varchar, Home_Phone_Ex varchar, Switches int, Private smallint,
    Restricted smallint, Sch_ID1 int, Sch_ID2 int, Sch_ID3 int, Sch_ID4 int, Sch_ID5 int, Mail_Pref smallint,
    ChartDestination tinyint, Deleted bit, Status_inactive bit, Status_Login bit, Status_Unaprv bit, Staff_Role
    smallint, Dept_type tinyint, Machine_Type tinyint, CC_From_Schedule tinyint, Can_Be_Scheduled bit,
    TemplateOverrideLevel int, NonPhysician tinyint, AllowCustomizeLayouts bit, AllowPushLayouts bit,
    OverrideFilterLockdown bit, Last_Name_SingleByte varchar, First_Name_SingleByte varchar,
    Mdl_Initial_SingleByte char, HPG_Eligible bit, DirectMailAddress varchar, RowVers varbinary, PRIMARY KEY
    (Staff_ID)
);

CREATE TABLE Prompt (
    Pro_ID int, PGroup char, Enum int, Text varchar, PRIMARY KEY (Pro_ID)
);

CREATE TABLE Notes (
    Note_ID int, Note_Type int, Subject varchar, Pat_ID1 int, notes varchar, Create_DtTm datetime, Create_ID
    int, Edit_DtTm datetime, Edit_ID int, Sanct_DtTm datetime, Sanct_ID int, PRIMARY KEY (Note_ID)
);

CREATE TABLE PatCPlan (
    PCP_ID int, Pat_ID1 int, Course smallint, Tx_Intent varchar, MED_ID int, Notes varchar, Note_ID int,
    Edit_DtTm datetime, Edit_ID int, PRIMARY KEY (PCP_ID)
);

CREATE TABLE Medical (
    MED_ID int, PAT_ID1 int, TPG_ID int, PRIMARY KEY (MED_ID)
);

CREATE TABLE Topog (
    TPG_ID int, Diag_Code varchar, Description varchar, PRIMARY KEY (TPG_ID)
);

CREATE TABLE Site (
    SIT_ID int, SIT_SET_ID int, Version smallint, Pat_ID1 int, Create_DtTm datetime, Create_ID int, Edit_DtTm
    datetime, Edit_ID int, Sanct_DtTm datetime, Sanct_Id int, Sanct_DtTm2 datetime, Sanct_Id2 int,
    Control_Reason varchar, TieredSecurity1 bigint, Cosigner_PNP_ID int, SystemLock_DtTm datetime, Note_ID int,
    Eff_DtTm datetime, Site_Name varchar, Setup_Note_ID int, Technique varchar, Modality varchar, Energy
    smallint, Target varchar, Rx_Depth decimal, Target_Units varchar, Dose_Tx decimal, Dose_Ttl decimal,
    Dose_Ttl_Cum decimal, Fractions smallint, Frac_Pattern varchar, Notes varchar, Tentative_Fx smallint,
    Arc_DtTm datetime, Start_DtTm datetime, Last_DtTm datetime, Dose_Act smallint, Frac_Act smallint, Chg_ID
    int, DisplaySequence smallint, Reference_SIT_Set_ID int, Reference_Fraction smallint, Reference_Fx_Offset
    smallint, ThresholdFxDoseRel smallint, ThresholdFxDoseAbs smallint, AND_Rel_With_Abs bit, NonFxDose
    smallint, FxType smallint, PCP_ID int, Holidays_OK bit, SATURDAY_OK bit, SUNDAY_OK bit, Status_Enum tinyint,
    UseSiteThresholdFx bit, Modality_Enum tinyint, IsFromDataImport bit, IsModifiedAfterDataImport bit,
    IsDoseInCcGE bit, RowVers varbinary, PRIMARY KEY (SIT_ID)
);

CREATE TABLE TxField (
    FLD_ID int, FLD_SET_ID int, Version smallint, Pat_ID1 int, Create_DtTm datetime, Create_ID int, Edit_DtTm
    datetime, Edit_ID int, Sanct_DtTm datetime, Sanct_ID int, Calibration_DtTm datetime, Calibration_ID int,
    TieredSecurity1 bigint, Cosigner_PNP_ID int, Note_ID int, SIT_Set_ID int, Field_Label varchar, Field_Name
    varchar, Machine_ID_Staff_ID int, MachineCharID int, Resequence smallint, Start_DtTm datetime, Last_Tx_DtTm
    datetime, Fractions_Tx smallint, TentativeFx smallint, Cgray decimal, Pf_Open_Coef float, Pf_Open_Dlta
    decimal, Pf_Clsd_Coef float, PIAcqDevice smallint, SID decimal, Tol_Tbl_ID int, Arc_Mu decimal, Dyn_Wedge
    varchar, Wdg_Appl varchar, Block varchar, Blk_Desc varchar, Comp_Fda varchar, FDA_Desc varchar, Bolus
    varchar, Head_Ang decimal, Sad decimal, Ssd decimal, SDD decimal, Mlc smallint, Alert char, IMG_ID int,
    DisplaySequence smallint, Notes varchar, SIM_ID int, SystemLock_DtTm datetime, IsHidden bit, IsDownloaded
    bit, IsExtLocked bit, IsAFSLocked bit, IsEditLocked bit, BlockSlot tinyint, WdgApplSlot tinyint, CompFDASlot
    tinyint, Open_Quality tinyint, CLSD_Quality tinyint, TxFromDHS_ID int, Beam_Type_Flag tinyint, Mass_Number
    int, Atomic_Number int, Charge_State int, Scan_Mode_Enum tinyint, VSAD_X decimal, VSAD_Y decimal,
    Beam_Line_Data_Table_Version varchar, Max_Coll_Diameter decimal, Nominal_SOBP_Width decimal,
    Plan_Distal_Distance decimal, Beam_Check_Flag bit, Respiration_Gating_Flag bit, Respiration_Cycle decimal,
    Related_FLD_SET_ID int, FieldRelationship_Enum tinyint, Calibration_Status_Enum tinyint, Do_Position_Verify
    bit, AirGap decimal, XVI_Preset varchar, Billing_Dose_Ratio decimal, Cost_Coefficient smallint, Type_Enum
    tinyint, Modality_Enum tinyint, ControlPoints smallint, IndexMethod_Enum tinyint, IndexReference_Enum
    tinyint, Fld_X_Mode_Enum tinyint, Fld_Y_Mode_Enum tinyint, IsFromDataImport bit, IsModifiedAfterDataImport
    bit, Type_UserDefined varchar, Modality_UserDefined varchar, OriginalPlanUID char, FldDoc_OBJ_ID int,
    IsDocBased bit, Meterset decimal, MetersetRound decimal, MetersetUnit_Enum tinyint, cGrayPerMeterset float,
    BackupTimer decimal, kVApplCode char, kVApplShape_Enum tinyint, kVFSD smallint, kVApplDimension1 smallint,
    kVApplDimension2 smallint, kVFilterCode char, kVTubeCurrent decimal, kVHVL decimal, kVHVLEquivalent_Enum
    tinyint, IsFieldDocChanged bit, OriginalBeamName char, OriginalBeamNumber int, PIOpenMeterset decimal,
    PIClsdMeterset decimal, IsFFF bit, IsProtected bit, IsXraysAppl bit, ScatteringMode varchar,
    IsHDTAuthorizationRequested bit, TotalReferenceAirKerma decimal, XVI_PresetType_Enum tinyint, CcGE decimal,
    LongitudinalSpreadingTechnique tinyint, LateralSpreadingTechnique tinyint, DosePoint_X decimal, DosePoint_Y
    decimal, DosePoint_Z decimal, DosePointWET decimal, RowVers varbinary, PRIMARY KEY (FLD_ID)
);

CREATE TABLE TxFieldPoint (
    TFP_ID int, FLD_ID int, Create_DtTm datetime, Create_ID int, Edit_DtTm datetime, Edit_ID int, Point
    smallint, [Index] decimal, MLC_Leaves smallint, A_Leaf_Set varbinary, B_Leaf_Set varbinary, Gantry_Ang
    decimal, Coll_Ang decimal, Field_X decimal, Coll_X1 decimal, Coll_X2 decimal, Field_Y decimal, Coll_Y1
    decimal, Coll_Y2 decimal, MLC_Type smallint, Shape_ID int, Fit_Method smallint, Slice_Num smallint,
    IsMotorizedWedgeIn bit, Flat_Top_Length decimal, Spill_Length decimal, Beam_Intensity decimal,
    Change_Check_Data_Before varbinary, Change_Check_Data_After varbinary, Peak_Range decimal, Energy smallint,
    Energy_Unit_Enum tinyint, Meterset_Rate decimal, Gantry_Pitch_Ang decimal, Gantry_Pitch_Dir_Enum tinyint,
    Gantry_Dir_Enum tinyint, Coll_Dir_Enum tinyint, Couch_Pitch_Ang decimal, Couch_Pitch_Dir_Enum tinyint,
    Couch_Roll_Ang decimal, Couch_Roll_Dir_Enum tinyint, Couch_Vrt decimal, Couch_Ang decimal,
    Couch_Ang_Dir_Enum tinyint, Couch_Lat decimal, Couch_Lng decimal, Couch_Top_Axis_Distance decimal,
    Couch_Top_Dir_Enum tinyint, Head_Fixation_Ang decimal, Snout_Position decimal, Isocenter_X decimal,
    Isocenter_Y decimal, Isocenter_Z decimal, Entry_Point_X decimal, Entry_Point_Y decimal, Entry_Point_Z
    decimal, Couch_Top decimal, Change_Check_Data_Before_Count tinyint, Change_Check_Data_After_Count tinyint,
    IsModifiedAfterDataImport bit, Energy_Per_Nucleon decimal, IsCouch_VrtRelative bit, IsCouch_LatRelative bit,
    IsCouch_LngRelative bit, IsCouch_AngRelative bit, IsCouch_Pitch_AngRelative bit, IsCouch_Roll_AngRelative
    bit, Catheters smallint, Chair_Swivel_Ang decimal, Chair_Swivel_Dir_Enum tinyint, Chair_Tilt_Ang decimal,
    Chair_Tilt_Dir_Enum tinyint, SnoutRotation decimal, Isocenter_MLC_Distance decimal, DosePointWET decimal,
    WobblingRadius_X decimal, WobblingRadius_Y decimal, LayercGrayPerMeterset decimal, RowVers varbinary,
    PRIMARY KEY (TFP_ID)
);

CREATE TABLE SiteSetup (
    SIS_ID int, SIS_Set_ID int, Version smallint, Create_DtTm datetime, Create_ID int, Edit_DtTm datetime,
    Edit_ID int, Sit_Set_ID int, Patient_Orient tinyint, Off_Set_ID int, Setup_Technique_Description varchar,
    Isocenter_Position_X decimal, Isocenter_Position_Y decimal, Isocenter_Position_Z decimal, Sanct_DtTm
    datetime, Sanct_ID int, Status_Enum tinyint, Setup_Note varchar, TOL_ID int, Setup_Name varchar, Couch_Vrt
    decimal, Couch_Lat decimal, Couch_Lng decimal, Machine_ID_Staff_ID int, Frame_Of_Reference_UID varchar,
    Structure_Set_UID varchar, MAX_TOL_ID int, THR_TOL_ID int, MAC_ID int, IsExcludedFromTreatment bit, PRIMARY
    KEY (SIS_ID)
);

CREATE TABLE [Offset] (
    OFF_ID int, OFF_Set_ID int, Sit_Set_ID int, Version smallint, Create_DtTm datetime, Create_ID int, Edit_DtTm
    datetime, Edit_ID int, Study_DtTm datetime, Offset_State tinyint, Offset_Type tinyint, Source_View tinyint,
    Source_Name varchar, Historic bit, Superior_Offset decimal, Anterior_Offset decimal, Lateral_Offset decimal,
    Angle_Offset decimal, Pitch_Offset decimal, Roll_Offset decimal, PRIMARY KEY (OFF_ID)
);

CREATE TABLE DCMInstance (
    DCMInstance_ID int, DCMSeries_ID int, SOPInstanceUID varchar, PRIMARY KEY (DCMInstance_ID)
);

CREATE TABLE RtPlan (
    Pat_ID1 int, Label varchar, DCMInstance_ID int
);

CREATE TABLE Dose_Hst (
    DHS_ID int, Pat_ID1 int, Create_DtTm datetime, Create_ID int, Edit_DtTm datetime, Edit_ID int, Inst_ID int,
    Note_ID int, FLD_ID int, SIT_ID int, SIS_ID int, PTC_ID int, Tx_DtTm datetime, Fractions_Tx smallint, Energy
    smallint, Energy_Unit_Enum tinyint, Dose_Tx_Act decimal, Dose_Ttl_Act decimal, Dose_Ttl_Cum_Act decimal,
    Dose_Addtl_Projected decimal, Staff_Id int, Machine_ID_Staff_ID int, MAC_ID int, TerminationCode varchar,
    Termination_Status_Enum tinyint, Termination_Verify_Status_Enum tinyint, IsInPatient bit, OverrideID int,
    Overrides1 int, Overrides2 int, Overrides3 int, Overrides4 int, Notes varchar, IsOpenPort bit, WasVerified
    bit, WasOverridden bit, NewFieldDef bit, WasQAMode bit, PartiallyTreated bit, VMIError bit, HasBeenCharted
    bit, Modality_Enum tinyint, Type_Enum tinyint, Meterset decimal, MetersetUnit_Enum tinyint,
    SecondaryMeterset decimal, SecondaryMetersetUnit_Enum tinyint, cGrayPerMeterset float, TP_Correction_Factor
    float, XVI_Preset varchar, PRIMARY KEY (DHS_ID)
);

CREATE TABLE FLD_HST (
    FHS_ID int, DHS_ID int, Pat_ID1 int, Tx_DtTm datetime, PRIMARY KEY (FHS_ID)
);

CREATE TABLE TxFieldPoint_Hst (
    FHS_ID int, Point smallint, Couch_Vrt decimal, Couch_Lat decimal, Couch_Lng decimal, Couch_Ang decimal,
    Coll_X1 decimal, Coll_X2 decimal, Coll_Y1 decimal, Coll_Y2 decimal, Field_X decimal, Field_Y decimal
);

CREATE TABLE PatTxCal (
    PTC_ID int, PCI_ID int, FLD_Set_ID int, Pat_ID1 int, Status_enum tinyint, TxSequence smallint, IsPartial
    bit, MFS decimal, MFS_Begin decimal, AFS decimal, AFS_Begin decimal, PF_Only bit, PF_During bit, Sanct_DtTm
    datetime, Sanct_ID int, PRIMARY KEY (PTC_ID)
);
CREATE TABLE PatCItem (
    PCI_ID int, PCP_ID int, Pat_ID1 int, Due_DtTm datetime, Act_DtTm datetime, Elpsd_Action smallint,
    Activity varchar, IsPreTreat bit, Status_Enum tinyint, Seq smallint, Inst_ID int, Note_ID int
);

CREATE TABLE TrackTreatment (
    TTX_ID int, Create_DtTm datetime, Create_ID int, Edit_DtTm datetime, Edit_ID int, Pat_ID1 int, FLD_ID int,
    SIT_ID int, Machine_ID_Staff_ID int, MAC_ID int, Inst_ID int, Staff_ID int, Staff_ID2 int, PTC_ID int,
    Sent_DtTm datetime, WasCFS bit, WasPassivePlan bit, WasQAMode bit, WasBeamEnabled bit, WasBeamOn bit,
    WasBeamComplete bit, WasCanceled bit, WasRecorded bit, DHS_ID int, WasResolved bit, Resolved_Staff_ID int,
    Resolved_DtTm datetime, RowVers varbinary, PRIMARY KEY (TTX_ID)
);

CREATE TABLE Schedule (
    Sch_Id int, Sch_Set_Id int, Version smallint, Suppressed bit, Pat_ID1 int, App_DtTm datetime, Duration_time
    int, Activity char, Location int, Staff_ID int, Inst_ID int, Alert char, Notes varchar, Note_ID int,
    SchStatus_Hist_UD char, SchStatus_Hist_SD char, Create_DtTm datetime, Create_ID int, Edit_DtTm datetime,
    Edit_ID int, PRIMARY KEY (Sch_Id)
);

CREATE TABLE CPT (
    PRS_ID int, Hsp_Code char, CPT_Code char, Tiny_Desc varchar, Short_Desc varchar, Description varchar, CGroup
    varchar, Status_Inactive bit, Deleted bit, PRIMARY KEY (PRS_ID)
);

CREATE TABLE Chklist (
    Chk_id int, Chk_set_id int, Version smallint, Create_DtTm datetime, Create_ID int, Edit_DtTm datetime,
    Edit_ID int, Sanct_DtTm datetime, Sanct_ID int, Sanct_DtTm2 datetime, Sanct_Id2 int, Pat_ID1 int, Note_ID
    int, Inst_ID int, Chklist_ID smallint, Item_Seq smallint, Qcl_Type smallint, Due_DtTm datetime, Elpsd_Action
    smallint, Act_DtTm datetime, Activity varchar, Req_Staff_ID int, Rsp_Staff_ID int, Com_Staff_ID int,
    Billable smallint, PRS_ID int, Complete smallint, Supr_DtTm datetime, Supr_ID int, Notes varchar, Suppressed
    bit, FBL_ID int, TSK_ID int, Est_Dur int, Priority_PRO_ID int, Code_Group varchar, Instructions varchar,
    Start_DtTm datetime, RowVers varbinary, PRIMARY KEY (Chk_id)
);

CREATE TABLE QCLTask (
    TSK_ID int, Create_DtTm datetime, Create_ID int, Edit_DtTm datetime, Edit_ID int, Description varchar,
    Inactive bit, Due_DtTm datetime, Responsible_Staff_ID int, Est_Dur int, Priority_PRO_ID int, Billable int,
    Code_Group varchar, ProcCode_PRS_ID int, Elpsd_Action smallint, RowVers varbinary, PRIMARY KEY (TSK_ID)
);

CREATE TABLE Object (
    OBJ_ID int, OBJ_SET_ID int, Version smallint, Pat_ID1 int, Filenum varchar, DocType varchar, File_Format
    smallint, Status_Enum tinyint, Note_ID int, Inst_ID int, PRIMARY KEY (OBJ_ID)
);

CREATE TABLE ObjFilenames (
    OBJ_ID int, eSCANFilename varchar, PageNumber int
);

CREATE INDEX TxField_Pat_ID1 ON TxField (Pat_ID1);
CREATE INDEX TxField_SIT_Set_ID ON TxField (SIT_Set_ID);
CREATE INDEX Site_Pat_ID1 ON Site (Pat_ID1);
CREATE INDEX Site_SIT_SET_ID ON Site (SIT_SET_ID);
CREATE INDEX SiteSetup_Sit_Set_ID ON SiteSetup (Sit_Set_ID);
CREATE INDEX Offset_Sit_Set_ID ON [Offset] (Sit_Set_ID);
CREATE INDEX Offset_OFF_Set_ID ON [Offset] (OFF_Set_ID);
CREATE INDEX Dose_Hst_Pat_ID1 ON Dose_Hst (Pat_ID1);
CREATE INDEX Dose_Hst_Tx_DtTm ON Dose_Hst (Tx_DtTm);
CREATE INDEX Schedule_Pat_ID1 ON Schedule (Pat_ID1);
CREATE INDEX Schedule_App_DtTm ON Schedule (App_DtTm);
CREATE INDEX TxFieldPoint_FLD_ID ON TxFieldPoint (FLD_ID);
CREATE INDEX FLD_HST_DHS_ID ON FLD_HST (DHS_ID);
CREATE INDEX TxFieldPoint_Hst_FHS_ID ON TxFieldPoint_Hst (FHS_ID);
CREATE INDEX Ident_Pat_Id1 ON Ident (Pat_Id1);
CREATE INDEX DCMInstance_SOPInstanceUID ON DCMInstance (SOPInstanceUID);
CREATE INDEX RtPlan_DCMInstance_ID ON RtPlan (DCMInstance_ID);
CREATE INDEX Notes_Pat_ID1 ON Notes (Pat_ID1);
CREATE INDEX TxField_OriginalPlanUID ON TxField (OriginalPlanUID, OriginalBeamNumber);
CREATE INDEX TrackTreatment_FLD_ID ON TrackTreatment (FLD_ID);
CREATE INDEX Ident_IDA ON Ident (IDA);
